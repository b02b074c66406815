/** `<live-cards>`: cards of photos that are being painted change by themselves. */

import { announce } from "./announce.js";
import { countInTitle } from "./count-in-title.js";
import { watch } from "./lazy-pictures.js";
import { refresh, swap } from "./slots.js";
import { StatusWatch } from "./watch-status.js";

class LiveCards extends HTMLElement {
  connectedCallback() {
    this.status = new StatusWatch(this.dataset.url, () => this.unfinished(), (photos) => this.change(photos));
    countInTitle();
  }

  disconnectedCallback() {
    this.status.stop();
  }

  /** Put a new card at the head of the album, or in the place of its older self; return it. */
  add(html, version) {
    const card = parse(html);
    const known = this.card(card.dataset.photo);
    if (known) known.replaceWith(card);
    else this.prepend(card);
    this.status.versions.set(card.dataset.photo, version);
    watch(card);
    countInTitle();
    this.status.quicken();
    return card;
  }

  unfinished() {
    return [...this.querySelectorAll("[data-unfinished]")].map((card) => card.dataset.photo);
  }

  card(key) {
    return this.querySelector(`[data-photo="${CSS.escape(key)}"]`);
  }

  change(photos) {
    for (const [key, photo] of Object.entries(photos)) {
      const card = this.card(key);
      if (photo.gone) card?.remove();
      else if (card && photo.card) this.replace(card, parse(photo.card));
      else if (card && photo.standing) swap(card.querySelector("[data-slot=standing]"), parse(photo.standing));
    }
    countInTitle();
  }

  replace(card, fresh) {
    const key = fresh.dataset.photo;
    if (!refresh(card, fresh)) swap(card, fresh);
    const shown = this.card(key);
    watch(shown);
    if (!shown.hasAttribute("data-unfinished")) announce(shown.querySelector("[data-news]").dataset.news);
  }
}

function parse(html) {
  const template = document.createElement("template");
  template.innerHTML = html.trim();
  return template.content.firstElementChild;
}

customElements.define("live-cards", LiveCards);
