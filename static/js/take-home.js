/** `<take-home>`: how strong a painting is seen and saved; a file that must be made first is asked for until it is there. */

import { announce } from "./announce.js";

const PAUSES = [300, 500, 800, 1200, 2000, 3000]; // ms between two questions: soon at first, then calmly
const TROUBLES = 5; // questions without an answer before we give up

class TakeHome extends HTMLElement {
  connectedCallback() {
    this.wall = this.closest("live-photo");
    this.form = this.querySelector("form");
    this.button = this.querySelector("button");
    this.words = this.button.querySelector("span");
    this.trouble = this.querySelector("[role=alert]");
    this.calm = this.words.textContent;
    this.form.elements.intensity.type = "range";
    this.form.addEventListener("input", () => this.change());
    this.form.addEventListener("submit", (event) => this.send(event));
    this.change();
  }

  disconnectedCallback() {
    this.asking?.abort();
    this.wall.style.removeProperty("--intensity");
  }

  get intensity() {
    return Number(this.form.elements.intensity.value);
  }

  /** The painting lies over its photo on the page: the browser blends them as the server would. */
  change() {
    const { intensity } = this;
    this.wall.style.setProperty("--intensity", intensity / 100);
    this.querySelector("output").textContent = `${intensity} %`;
    const share = this.dataset.share.replace("{painting}", intensity).replace("{photo}", 100 - intensity);
    this.form.elements.intensity.setAttribute("aria-valuetext", share);
    this.asking?.abort();
    this.failed = false;
    this.trouble.hidden = true;
  }

  send(event) {
    const { format, size, bare } = this.form.elements;
    const filed = this.intensity === 100 && format.value === "jpeg" && size.value === "page" && !bare.checked;
    if (filed) return; // it is there: the browser saves it
    event.preventDefault();
    if (this.button.ariaBusy !== "true") this.fetch(`${this.form.action}?${new URLSearchParams(new FormData(this.form))}`);
  }

  async fetch(address) {
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.show(this.dataset.making, true);
    announce(this.dataset.making);
    try {
      await this.wait(address, signal);
      announce(this.dataset.ready);
      Object.assign(document.createElement("a"), { href: address, download: "" }).click();
    } catch (error) {
      if (!signal.aborted) this.complain(error.message);
    }
    this.show(this.calm, false);
  }

  /** Return when the file is there; throw an error with words for people. */
  async wait(address, signal) {
    let method = this.failed ? "POST" : "GET"; // what has failed is tried again
    for (let round = 0, troubles = 0; troubles < TROUBLES; round += 1) {
      const answer = await ask(address, method, signal);
      if (answer?.status === 200) return;
      if (answer && answer.status !== 202) throw new Error(answer.text);
      troubles = answer ? 0 : troubles + 1;
      if (answer) method = "GET";
      await pause(PAUSES[Math.min(round, PAUSES.length - 1)], signal);
    }
    throw new Error(this.dataset.broken);
  }

  complain(text) {
    this.failed = true;
    this.trouble.textContent = text;
    this.trouble.hidden = false;
  }

  show(text, busy) {
    this.words.textContent = text;
    this.button.ariaBusy = String(busy);
    if (busy) this.trouble.hidden = true;
  }
}

/** Return what the server says, or null if it did not say anything that we understand. */
async function ask(address, method, signal) {
  const headers = { Accept: "application/json" };
  if (method === "POST") headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
  try {
    const answer = await fetch(address, { method, headers, signal, cache: "no-store" });
    return { status: answer.status, text: (await answer.json()).text };
  } catch (error) {
    if (signal.aborted) throw error;
    return null;
  }
}

function pause(duration, signal) {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, duration);
    signal.addEventListener("abort", reject, { once: true });
  });
}

customElements.define("take-home", TakeHome);
