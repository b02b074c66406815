/** `<copy-link>`: a button beside a link; without it the field can be selected and copied by hand. */

import { announce } from "./announce.js";

class CopyLink extends HTMLElement {
  connectedCallback() {
    this.field = this.querySelector("input");
    this.field.addEventListener("focus", () => this.field.select());
    this.button = this.querySelector("button");
    this.button.addEventListener("click", () => this.copy());
  }

  async copy() {
    this.field.select();
    try {
      await navigator.clipboard.writeText(this.field.value);
    } catch {
      // Pages that came by plain http have no clipboard; the old way still works there.
      if (!document.execCommand("copy")) return;
    }
    this.button.lastChild.textContent = this.dataset.copied;
    announce(this.dataset.done);
  }
}

customElements.define("copy-link", CopyLink);
