/** `<own-values>`: the knobs of a style, and a small sketch that follows them. */

const REST = 250; // ms without a turn before a sketch is worth its work
const PAUSES = [250, 350, 500, 800, 1200, 2000]; // ms between two questions
const ROUNDS = 40;

class OwnValues extends HTMLElement {
  connectedCallback() {
    this.picture = this.querySelector(".sketch img");
    this.words = this.querySelector("[role=status]");
    for (const knob of this.querySelectorAll(".knob input")) {
      knob.type = "range";
      this.tell(knob);
    }
    this.addEventListener("input", ({ target }) => {
      if (!target.closest(".knob")) return;
      this.tell(target);
      clearTimeout(this.rest);
      if (this.dataset.sketch && this.picture) this.rest = setTimeout(() => this.sketch(), REST);
    });
  }

  disconnectedCallback() {
    clearTimeout(this.rest);
    this.asking?.abort();
  }

  tell(knob) {
    const { unit, on, off } = knob.dataset;
    const said = on ? [off, on][knob.value] : `${Number(knob.value)} ${unit}`.trim();
    knob.closest(".knob").querySelector("output").textContent = said;
    knob.setAttribute("aria-valuetext", said);
  }

  async sketch() {
    this.asking?.abort();
    const asking = (this.asking = new AbortController());
    const values = [...this.querySelectorAll(".knob input")].map((knob) => [knob.name, knob.value]);
    const address = `${this.dataset.sketch}?${new URLSearchParams(values)}`;
    this.say(this.dataset.making, true);
    try {
      await this.made(address, asking.signal);
      const file = await fetch(address, { signal: asking.signal });
      if (!file.ok) throw new Error(`status ${file.status}`);
      const old = this.picture.src;
      this.picture.removeAttribute("srcset");
      this.picture.src = URL.createObjectURL(await file.blob());
      if (old.startsWith("blob:")) URL.revokeObjectURL(old);
      this.say(this.dataset.ready, false);
    } catch {
      if (!asking.signal.aborted) this.say(this.dataset.broken, false);
    }
  }

  async made(address, signal) {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { status } = await fetch(address, { signal, cache: "no-store", headers: { Accept: "application/json" } });
      if (status === 200) return;
      if (status !== 202) throw new Error(`status ${status}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSES[Math.min(round, PAUSES.length - 1)]));
      signal.throwIfAborted();
    }
    throw new Error("too long");
  }

  say(text, busy) {
    this.words.textContent = text;
    this.querySelector(".sketch").ariaBusy = String(busy);
  }
}

customElements.define("own-values", OwnValues);
