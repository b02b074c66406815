/** Asks the server how photos stand, as often as is kind: soon at first, then calmly, never while nobody looks. */

const EAGER = 1000; // ms between questions in the first seconds
const EAGER_FOR = 10_000;
const CALM = 3000;
const SLOWEST = 60_000;

export class StatusWatch {
  /** `keys()` says which photos; `changed(photos)` is called with those whose version is another than before. */
  constructor(address, keys, changed) {
    Object.assign(this, { address, keys, changed, versions: new Map(), troubles: 0, since: Date.now() });
    this.wake = () => this.plan(0);
    document.addEventListener("visibilitychange", this.wake);
    addEventListener("online", this.wake);
    addEventListener("pageshow", this.wake);
    this.plan(EAGER);
  }

  stop() {
    clearTimeout(this.timer);
    document.removeEventListener("visibilitychange", this.wake);
    removeEventListener("online", this.wake);
    removeEventListener("pageshow", this.wake);
  }

  /** Something has just begun: ask often again. */
  quicken() {
    this.since = Date.now();
    this.plan(EAGER);
  }

  plan(pause = this.pause()) {
    clearTimeout(this.timer);
    if (document.hidden || this.keys().length === 0) return;
    this.timer = setTimeout(() => this.ask(), pause);
  }

  pause() {
    const base = Date.now() - this.since < EAGER_FOR ? EAGER : CALM;
    const slowed = Math.min(base * 2 ** this.troubles, SLOWEST);
    return slowed * (0.8 + Math.random() * 0.4);
  }

  async ask() {
    const keys = this.keys().slice(0, 100);
    const have = keys.map((key) => this.versions.get(key) ?? "");
    try {
      const answer = await fetch(`${this.address}?photos=${keys.join(",")}&have=${have.join(",")}`, {
        headers: { Accept: "application/json" },
      });
      if (answer.redirected || answer.status === 403 || answer.status === 404) return; // signed out meanwhile
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      await this.take((await answer.json()).photos);
      this.troubles = 0;
    } catch {
      this.troubles += 1;
    }
    this.plan();
  }

  async take(photos) {
    const news = Object.entries(photos).filter(([key, photo]) => photo.version !== this.versions.get(key));
    if (news.length > 0) await this.changed(Object.fromEntries(news));
    for (const [key, photo] of news) this.versions.set(key, photo.version);
  }
}
