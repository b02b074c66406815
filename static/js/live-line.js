/** News for all tabs of a browser over one stream: the tab that holds the lock listens, and tells the others. */

const ADDRESS = "/live/";
const NAME = "live-line";
const REFUSED = 30_000; // ms until a stream is asked for again that the server did not give

// Without locks (plain http in a home network) each tab asks for a stream of its own: the server gives a few.
const locks = navigator.locks ?? { request: async (name, options, hold) => hold() };

export class LiveLine {
  /** `heard()` is called when something may have changed, `turned()` when the line has come up or gone down. */
  constructor(heard, turned) {
    Object.assign(this, { heard, turned, up: false, version: null, wish: null, stream: null });
  }

  open() {
    if (this.wish) return;
    this.wish = new AbortController();
    const { signal } = this.wish;
    this.channel = new BroadcastChannel(NAME);
    this.channel.onmessage = ({ data }) => this.hear(data);
    locks.request(NAME, { signal }, () => this.hold(signal)).catch(() => {}); // left while it waited
    this.channel.postMessage("asked");
  }

  /** Let the next tab listen. Nothing stays open that would keep the page from the back-forward cache. */
  close() {
    if (!this.wish) return;
    this.wish.abort();
    this.wish = null;
    this.hangUp();
    this.channel.close();
    this.up = false;
  }

  hold(signal) {
    if (signal.aborted) return undefined;
    this.listen();
    return new Promise((release) => signal.addEventListener("abort", release));
  }

  listen() {
    this.stream = new EventSource(ADDRESS);
    this.stream.onmessage = ({ data }) => this.say({ up: true, version: JSON.parse(data).version });
    this.stream.addEventListener("away", () => this.listenLater());
    this.stream.onerror = () => {
      // The browser comes back by itself to a server that is gone, but not to one that has said no.
      if (this.stream.readyState === EventSource.CLOSED) this.listenLater();
      else this.say({ up: false, version: this.version });
    };
  }

  listenLater() {
    this.hangUp();
    this.say({ up: false, version: this.version });
    this.timer = setTimeout(() => this.listen(), REFUSED * (0.8 + Math.random() * 0.4));
  }

  hangUp() {
    clearTimeout(this.timer);
    this.stream?.close();
    this.stream = null;
  }

  say(news) {
    this.channel.postMessage(news);
    this.take(news);
  }

  hear(news) {
    if (news !== "asked") return this.stream ? undefined : this.take(news);
    if (this.stream && this.up) this.channel.postMessage({ up: true, version: this.version });
  }

  take({ up, version }) {
    const [turned, heard] = [up !== this.up, up && version !== this.version];
    Object.assign(this, { up, version });
    if (turned) this.turned();
    if (heard) this.heard();
  }
}
