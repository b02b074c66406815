/** `<live-history>`: lines of what is being painted change by themselves; the page is asked for once more, in one go. */

import { swap } from "./slots.js";
import { StatusWatch } from "./watch-status.js";
import { watch } from "./lazy-pictures.js";

class LiveHistory extends HTMLElement {
  connectedCallback() {
    this.status = new StatusWatch(this.dataset.url, () => this.unfinished(), () => this.renew());
  }

  disconnectedCallback() {
    this.status.stop();
  }

  unfinished() {
    const lines = this.querySelectorAll("tr[data-unfinished]");
    return [...new Set([...lines].map((line) => line.dataset.photo))];
  }

  async renew() {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const line of this.querySelectorAll("tr[data-unfinished]")) {
      const fresh = page.getElementById(line.id);
      if (!fresh || fresh.dataset.stage === line.dataset.stage) continue;
      swap(line, document.importNode(fresh, true));
      watch(document.getElementById(fresh.id));
    }
  }
}

customElements.define("live-history", LiveHistory);
