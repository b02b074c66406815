/** `<live-photo>`: the page of a photo that is being painted shows each painting as soon as it is there. */

import { announce } from "./announce.js";
import { whole } from "./big-picture.js";
import { countInTitle } from "./count-in-title.js";
import { watch } from "./lazy-pictures.js";
import { refresh } from "./slots.js";
import { StatusWatch } from "./watch-status.js";
import "./zone.js";

class LivePhoto extends HTMLElement {
  connectedCallback() {
    this.status = new StatusWatch(this.dataset.url, () => this.unfinished(), () => this.change());
    countInTitle();
  }

  disconnectedCallback() {
    this.status.stop();
  }

  unfinished() {
    return this.hasAttribute("data-unfinished") ? [this.dataset.photo] : [];
  }

  async change() {
    // Not where the browser is: after a form was sent the page has the form's address.
    const address = this.dataset.page + location.search;
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (answer.status === 404) return location.replace(address); // removed in another tab
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("live-photo");
    whole(fresh);
    if (!refresh(this, fresh)) return location.replace(address);
    watch(this);
    countInTitle();
    if (!this.hasAttribute("data-unfinished")) announce(this.querySelector("[data-news]").dataset.news);
  }
}

customElements.define("live-photo", LivePhoto);
