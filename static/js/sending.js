/** One file on its way: its row in the list, its request, and what became of it in words. */

import { askFirst } from "./known-file.js";

export const ARRIVED = ["added", "known", "held"];
const ENDED = [...ARRIVED, "refused", "cancelled", "large"]; // nothing goes on with it after the page has gone
const RETRYABLE = ["cancelled", "lost", "broken", "paused", "full", "out"];
const BUSY_PAUSE = 15; // s to wait when the server is busy and does not say how long
const LOST_PAUSES = [5, 15, 60]; // s until the server is tried again while the browser believes that it has a line
const SURE = 1; // s after which the speed says something

const language = document.documentElement.lang;
const megabytes = unit("megabyte", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const seconds = unit("second", { maximumFractionDigits: 0 });
const minutes = unit("minute", { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(language, { hour: "numeric", minute: "2-digit" });

export class Sending {
  /** `kept` is the file with its wishes, and how it stood; `changed()` is called whenever the state is another. */
  constructor(kept, row, words, changed) {
    Object.assign(this, { ...kept, row, words, changed, losses: 0 });
    row.querySelector(".upload-name").textContent = this.file.name;
    [this.again, this.close] = row.querySelectorAll("button");
    this.again.addEventListener("click", () => this.urge());
    this.close.addEventListener("click", () => this.press());
  }

  /** Whether it need not be kept any more. */
  get settled() {
    return ENDED.includes(this.state);
  }

  /** As it was when the page was left, or from the start. */
  begin() {
    const { due, state, text } = this.standing ?? {};
    this.noted = Boolean(this.standing);
    if (due > Date.now()) this.pauseUntil(due, text);
    else if (state) this.show(state, text);
    else this.wait();
  }

  press() {
    if (!this.settled && !["broken", "full"].includes(this.state)) return this.cancel();
    this.show("cancelled", this.words.cancelled);
    this.row.remove();
    this.changed();
  }

  /** Somebody does not want to wait until the server said. */
  urge() {
    this.urged = true;
    this.wait();
  }

  wait() {
    clearTimeout(this.timer);
    this.show("waiting", this.words.waiting);
  }

  cancel() {
    clearTimeout(this.timer);
    this.stop?.abort();
    this.request?.abort();
    this.show("cancelled", this.words.cancelled);
  }

  /** Send the file with its wishes, unless it need not be; `arrived(result, used)` gets what the server says. */
  async start(form, arrived) {
    this.urged = false;
    this.stop = new AbortController();
    this.show("sending", this.words.asking);
    if (!navigator.onLine) return this.lose();
    const known = await askFirst(this.file, this.body(form), this.words.known, this.stop.signal);
    if (this.state !== "sending") return; // cancelled meanwhile
    if (known) this.take(known, arrived);
    else this.send(form, arrived);
  }

  body(form) {
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    for (const [name, value] of this.wishes) body.append(name, value);
    return body;
  }

  send(form, arrived) {
    const body = this.body(form);
    body.set("photos", this.file, this.file.name);
    const request = new XMLHttpRequest();
    Object.assign(this, { request, action: form.action });
    request.open("POST", this.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    this.since = performance.now();
    request.upload.addEventListener("progress", ({ loaded, total }) => this.progress(loaded, total));
    request.addEventListener("load", () => this.answer(request, arrived));
    request.addEventListener("error", () => this.lose());
    request.send(body);
  }

  progress(loaded, total) {
    if (this.state !== "sending") return;
    this.row.querySelector("progress").value = (100 * loaded) / total;
    if (loaded === total) return this.say(this.words.looking);
    const [sent, whole] = [loaded, total].map((bytes) => megabytes.format(bytes / 1e6));
    const text = this.words.sending.replace("{sent}", sent).replace("{whole}", whole);
    const passed = (performance.now() - this.since) / 1000;
    const left = (passed * (total - loaded)) / loaded;
    this.say(passed < SURE ? text : `${text} · ${this.words.left.replace("{time}", lasting(left))}`);
  }

  answer(request, arrived) {
    const [said, after] = [request.response, Number(request.getResponseHeader("Retry-After"))];
    if (said?.results?.length) this.take(said, arrived, after);
    else if (request.status === 429 || request.status === 503) this.pause(after, said?.text);
    else if (request.status === 413) this.show("large", said?.text ?? this.words.large);
    else if (request.status === 403 || request.responseURL !== this.action) this.show("out", this.words.out);
    else this.show("broken", said?.text ?? this.words.broken);
  }

  /** A photo over the allowance of paintings is answered with 429 as well, but it has arrived: never sent again. */
  take({ results: [result], allowance }, arrived, seconds) {
    const due = Date.now() + 1000 * (seconds || BUSY_PAUSE);
    if (result.outcome === "limited") return this.pauseUntil(due, `${result.text} ${this.words.later}`);
    this.show(result.outcome, result.text);
    arrived(result, allowance);
  }

  /** Keep the file, and send it again by itself when the server said. */
  pause(seconds, text) {
    const due = Date.now() + 1000 * (seconds || BUSY_PAUSE);
    this.pauseUntil(due, `${text ?? this.words.busy} ${this.words.at.replace("{time}", clock.format(due))}`);
  }

  pauseUntil(due, text) {
    this.due = due;
    this.show("paused", text);
    this.timer = setTimeout(() => this.wait(), due - Date.now());
  }

  /** Whether its time has come while nobody counted it. */
  look() {
    if (this.due <= Date.now()) this.wait();
  }

  /** No line: it goes on when the browser says so, and is tried now and then if the browser does not know. */
  async lose() {
    const readable = await this.file.slice(0, 1).arrayBuffer().catch(() => null);
    if (this.state === "cancelled") return;
    if (!readable) return this.show("broken", this.words.unreadable);
    this.losses += 1;
    this.show("lost", this.words.offline);
    const pause = LOST_PAUSES[Math.min(this.losses, LOST_PAUSES.length) - 1];
    if (navigator.onLine) this.timer = setTimeout(() => this.wait(), 1000 * pause);
  }

  show(state, text) {
    this.state = state;
    const ended = !["waiting", "sending"].includes(state);
    this.standing = { paused: { due: this.due, text }, broken: { state, text }, full: { state, text } }[state];
    this.row.dataset.state = state;
    this.row.querySelector("progress").hidden = state !== "sending";
    this.again.hidden = !RETRYABLE.includes(state);
    this.close.hidden = ["added", "held"].includes(state);
    this.close.textContent = ["paused", "lost", "out"].includes(state) || !ended ? this.words.cancel : this.words.dismiss;
    for (const button of [this.again, this.close]) button.ariaLabel = `${button.textContent}: ${this.file.name}`;
    this.say(text);
    this.changed();
  }

  /** The photo is in the album: its row leads there. */
  lead(address) {
    const state = this.row.querySelector(".upload-state");
    state.replaceChildren(Object.assign(document.createElement("a"), { href: address, textContent: state.textContent }));
  }

  say(text) {
    this.row.querySelector(".upload-state").textContent = text;
  }
}

function lasting(time) {
  return time < 90 ? seconds.format(Math.ceil(time)) : minutes.format(Math.ceil(time / 60));
}

function unit(name, digits) {
  return new Intl.NumberFormat(language, { style: "unit", unit: name, ...digits });
}
