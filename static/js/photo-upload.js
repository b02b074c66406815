/** `<photo-upload>`: photos by choice, drop or paste, sent two at a time, with words for each file. */

import { announce } from "./announce.js";
import { listenForFiles } from "./dropped-files.js";
import { previewOn } from "./preview.js";
import { ARRIVED, Sending } from "./sending.js";

const AT_ONCE = 2;
const FAREWELL = 8000; // ms until the rows of photos that have arrived go away

class PhotoUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.list = this.querySelector(".upload-list");
    this.input = this.querySelector("[type=file]");
    this.sendings = [];
    this.input.addEventListener("change", () => this.choose());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose();
    });
    document.addEventListener("click", (event) => {
      if (!event.target.closest('a[href$="#upload"]')) return;
      event.preventDefault();
      this.input.click();
    });
    listenForFiles((files) => this.add(files), this.dataset.drop);
    addEventListener("online", () => this.at("lost").forEach((sending) => sending.wait()));
    this.warn = (event) => event.preventDefault();
    if (this.input.files.length > 0) this.choose(); // somebody was faster than this script
  }

  choose() {
    const files = [...this.input.files];
    this.input.value = "";
    this.add(files);
  }

  add(files) {
    this.list.hidden = false;
    const made = files.map((file) => new Sending(file, this.makeRow(), this.dataset, () => this.next()));
    this.sendings.push(...made);
    this.next();
  }

  makeRow() {
    const row = this.querySelector("template").content.firstElementChild.cloneNode(true);
    this.list.append(row);
    return row;
  }

  /** Called whenever a file's state is another: as a file that starts calls it too, one step starts all that may. */
  next() {
    const paused = this.at("paused").length > 0; // what bites one bites all: the others are not sent to be told the same
    const waiting = this.at("waiting").find((sending) => !paused || sending.urged);
    if (waiting && this.at("sending").length < AT_ONCE) waiting.start(this.form, (result, used) => this.arrive(waiting, result, used));
    const busy = paused || this.at("sending").length > 0;
    // Only while something is on its way: a page that always asks is not kept for the back button.
    (busy ? addEventListener : removeEventListener)("beforeunload", this.warn);
    if (!busy) this.tidy();
  }

  arrive(sending, result, used) {
    announce(`${result.name}: ${result.text}`);
    if (used) this.querySelector(".upload-allowance").outerHTML = used;
    if (!result.card) return;
    this.classList.remove("first");
    document.querySelector("[data-total]")?.remove(); // it was counted before
    const card = document.querySelector("live-cards").add(result.card);
    previewOn(card, sending.file);
  }

  tidy() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const arrived = this.sendings.filter((sending) => ARRIVED.includes(sending.state));
      for (const sending of arrived) sending.row.remove();
      this.sendings = this.sendings.filter((sending) => !arrived.includes(sending));
      this.list.hidden = this.sendings.length === 0;
    }, FAREWELL);
  }

  at(state) {
    return this.sendings.filter((sending) => sending.state === state);
  }
}

customElements.define("photo-upload", PhotoUpload);
