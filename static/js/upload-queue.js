/** Photos on their way: two at a time, with words for each; what is not sent yet is kept by the browser. */

import { announce } from "./announce.js";
import { able, drop, keep, MARK, note, takeOver } from "./kept-files.js";
import { previewOn } from "./preview.js";
import { ARRIVED, Sending } from "./sending.js";

const AT_ONCE = 2;
const FAREWELL = 8000; // ms until the row of a photo that has arrived goes away
const PATIENT = 3; // a file that is lost more often does not hold up the others: it may be its own fault
const UNSENT = ["waiting", "sending", "paused", "lost", "out"];
const FAILED = ["broken", "full", "cancelled"];

export class UploadQueue {
  constructor(upload) {
    const [form, list, all] = ["form", ".upload-list", ".upload-all"].map((each) => upload.querySelector(each));
    Object.assign(this, { upload, form, list, all, words: upload.dataset, sendings: [], sent: 0 });
    [this.cancelAll, this.retryAll] = all.querySelectorAll("button");
    this.cancelAll.addEventListener("click", () => this.unsent.forEach((sending) => sending.cancel()));
    this.retryAll.addEventListener("click", () => this.at(...FAILED).forEach((sending) => sending.wait()));
    addEventListener("online", () => this.at("lost").forEach((sending) => sending.wait()));
    addEventListener("storage", ({ key, newValue }) => key === MARK && newValue === "left" && this.leave());
    // The clocks of pages stand still while a laptop sleeps.
    document.addEventListener("visibilitychange", () => this.at("paused").forEach((sending) => sending.look()));
    this.warn = (event) => event.preventDefault();
    if (able) takeOver(this.person, (kept) => this.bring(kept)).catch(() => {});
  }

  get person() {
    return this.form.elements.person.value;
  }

  get unsent() {
    return this.at(...UNSENT);
  }

  add(files, wishes) {
    for (const done of this.at("known", "cancelled", "refused", "large")) this.remove(done);
    const made = files.map((file) => this.take({ file, wishes }));
    this.keep(made);
    this.next();
  }

  /** Go on with what an earlier page has left. */
  bring(kept) {
    for (const each of kept) this.take(each);
    this.next();
  }

  take(kept) {
    const row = this.upload.querySelector("template").content.firstElementChild.cloneNode(true);
    this.list.append(row);
    const sending = new Sending(kept, row, this.words, () => this.change(sending));
    this.sendings.push(sending);
    sending.begin();
    return sending;
  }

  /** One after the other, since each is copied; what was sent meanwhile is not. */
  async keep(made) {
    for (const sending of made) {
      if (!able || sending.number || !this.unsent.includes(sending)) continue;
      try {
        sending.number = await keep(sending.file, { person: this.person, wishes: sending.wishes });
        this.write(sending);
      } catch {
        this.upload.say(this.words.unkept);
        break;
      }
    }
    this.next();
  }

  change(sending) {
    if (sending.number) this.write(sending);
    else if (sending.forgotten && sending.state === "waiting") this.keep([sending]);
    this.next();
  }

  /** What has ended is forgotten; of the rest is kept when it goes on, or why it does not. */
  write(sending) {
    if (sending.settled) {
      drop(sending.number).catch(() => {});
      Object.assign(sending, { number: undefined, forgotten: true });
    } else if (sending.standing || sending.noted) {
      sending.noted = true;
      note(sending.number, { standing: sending.standing }).catch(() => {});
    }
  }

  /** Called whenever a file's state is another: as a file that starts calls it too, one step starts all that may. */
  next() {
    // What bites one bites all: the others are not sent to be told the same.
    const held = this.at("paused", "out").length > 0 || this.at("lost").some((lost) => lost.losses <= PATIENT);
    const waiting = this.at("waiting").find((sending) => !held || sending.urged);
    if (waiting && this.at("sending").length < AT_ONCE) waiting.start(this.form, (result, used) => this.arrive(waiting, result, used));
    // Only if leaving loses something; and a page that always asks is not kept for the back button.
    const fragile = this.unsent.some((sending) => !sending.number);
    (fragile ? addEventListener : removeEventListener)("beforeunload", this.warn);
    this.sum();
  }

  sum() {
    const unsent = this.unsent.length;
    const failed = this.at(...FAILED).length;
    const total = this.sent + unsent + failed;
    this.list.hidden = this.list.children.length === 0;
    this.cancelAll.hidden = unsent < 2;
    this.retryAll.hidden = failed < 2;
    this.all.hidden = this.cancelAll.hidden && this.retryAll.hidden;
    this.all.firstElementChild.textContent = this.words.sum.replace("{sent}", this.sent).replace("{total}", total);
    if (unsent === 0) this.upload.say("");
    if (unsent + failed === 0) this.sent = 0;
  }

  arrive(sending, result, used) {
    announce(`${result.name}: ${result.text}`);
    this.sent += 1;
    this.sum();
    if (used) this.upload.querySelector(".upload-allowance").outerHTML = used;
    if (result.outcome === "known") sending.lead(result.address);
    else if (ARRIVED.includes(result.outcome)) setTimeout(() => this.remove(sending), FAREWELL);
    if (!result.card) return;
    this.upload.classList.remove("first");
    document.querySelector("[data-total]")?.remove(); // it was counted before
    const card = document.querySelector("live-cards").add(result.card, result.version);
    previewOn(card, sending.file);
  }

  remove(sending) {
    sending.row.remove();
    this.sendings = this.sendings.filter((each) => each !== sending);
    this.sum();
  }

  /** The person has signed out in another tab: nothing of it goes on, whoever signs in next. */
  leave() {
    for (const sending of this.sendings) {
      sending.cancel();
      sending.row.remove();
    }
    this.sendings = [];
    this.next();
  }

  at(...states) {
    return this.sendings.filter((sending) => states.includes(sending.state) && sending.row.isConnected);
  }
}
