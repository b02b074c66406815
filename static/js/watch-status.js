/** Asks the server how photos stand: when news comes over the line, and by the clock while there is no line. */

import { LiveLine } from "./live-line.js";
import { wantsToBeTold } from "./tell-me.js";

const SOON = 1000; // ms after something has begun
const CALM = 3000; // ms between two questions without a line
const SURE = 10_000; // with one: for what nobody tells, such as the place in the queue
const SLOWEST = 60_000;
const LINGER = 60_000; // ms for which a page that nobody sees keeps the line
const PATIENCE = 20_000; // ms for an answer: a laptop that slept waits for one that never comes

export class StatusWatch {
  /** `keys()` says which photos; `changed(photos)` gets those whose version is another than before, or that are gone. */
  constructor(address, keys, changed) {
    Object.assign(this, { address, keys, changed, versions: new Map(), troubles: 0 });
    this.line = new LiveLine(() => this.ask(), () => this.plan());
    this.wake = () => this.plan(0);
    this.rest = () => this.line.close();
    document.addEventListener("visibilitychange", this.wake);
    addEventListener("online", this.wake);
    addEventListener("pageshow", this.wake);
    addEventListener("pagehide", this.rest);
    this.plan(SOON);
  }

  stop() {
    this.keys = () => [];
    this.plan();
    document.removeEventListener("visibilitychange", this.wake);
    removeEventListener("online", this.wake);
    removeEventListener("pageshow", this.wake);
    removeEventListener("pagehide", this.rest);
  }

  /** Something has just begun. */
  quicken() {
    this.plan(SOON);
  }

  plan(pause = this.pause()) {
    clearTimeout(this.timer);
    if (this.keys().length === 0) return this.line.close();
    if (document.hidden) return this.linger();
    clearTimeout(this.leaving);
    this.leaving = undefined;
    this.line.open();
    this.timer = setTimeout(() => this.ask(), pause);
  }

  /** Nobody looks: news is still heard for a while, for the title, or to the end if somebody wants to be told. */
  linger() {
    if (wantsToBeTold()) return this.line.open();
    this.leaving ??= setTimeout(() => document.hidden && this.line.close(), LINGER);
  }

  pause() {
    const base = this.line.up ? SURE : CALM;
    const slowed = Math.min(base * 2 ** this.troubles, SLOWEST);
    return slowed * (0.8 + Math.random() * 0.4);
  }

  async ask() {
    clearTimeout(this.timer);
    if (this.asking) return void (this.again = true); // what is on its way may be older than this news
    this.asking = true;
    do this.again = false;
    while ((await this.question()) && this.again);
    this.asking = false;
    if (this.out) this.line.close();
    else this.plan();
  }

  /** Ask once; return whether there was an answer. */
  async question() {
    const keys = this.keys().slice(0, 100);
    if (keys.length === 0) return false;
    const have = keys.map((key) => this.versions.get(key) ?? "");
    try {
      const answer = await fetch(`${this.address}?photos=${keys.join(",")}&have=${have.join(",")}`, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(PATIENCE),
      });
      this.out = answer.redirected || answer.status === 403 || answer.status === 404; // signed out meanwhile
      if (this.out) return false;
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const { photos } = await answer.json();
      for (const key of keys) photos[key] ??= { version: "gone", gone: true }; // removed in another tab
      await this.take(photos);
      this.troubles = 0;
      return true;
    } catch {
      this.troubles += 1;
      return false;
    }
  }

  async take(photos) {
    const news = Object.entries(photos).filter(([key, photo]) => photo.version !== this.versions.get(key));
    if (news.length > 0) await this.changed(Object.fromEntries(news));
    for (const [key, photo] of news) this.versions.set(key, photo.version);
  }
}
