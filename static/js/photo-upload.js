/** `<photo-upload>`: takes photos by choice, drop or paste; what sends them is loaded when there are some. */

import { listenForFiles } from "./dropped-files.js";

const MARK = "uploads"; // see kept-files.js
const PAGES_OWN = ["photos", "csrfmiddlewaretoken"]; // of the form, what is no wish of the person

class PhotoUpload extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.input = this.querySelector("[type=file]");
    this.early = []; // what came before the queue was there
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
    addEventListener("online", () => this.early.length > 0 && this.begin());
    if (this.input.files.length > 0) this.choose(); // somebody was faster than this script
    if (this.keeps()) this.begin();
  }

  choose() {
    const files = [...this.input.files];
    this.input.value = "";
    this.add(files);
  }

  /** Have files sent, with what the form says now. */
  add(files) {
    if (files.length === 0) return;
    const wishes = [...new FormData(this.form)].filter(([name]) => !PAGES_OWN.includes(name));
    this.early.push([files, wishes]);
    this.begin();
  }

  async begin() {
    try {
      this.loading ??= import("./upload-queue.js").then(({ UploadQueue }) => new UploadQueue(this));
      const queue = await this.loading;
      for (const [files, wishes] of this.early.splice(0)) queue.add(files, wishes);
    } catch {
      this.loading = undefined;
      this.say(this.dataset.offline);
    }
  }

  say(text) {
    const note = this.querySelector(".upload-note");
    note.textContent = text;
    note.hidden = !text;
  }

  /** Whether an earlier page has left something in this browser. */
  keeps() {
    try {
      return localStorage.getItem(MARK) === "yes";
    } catch {
      return false; // people may forbid it
    }
  }
}

customElements.define("photo-upload", PhotoUpload);
