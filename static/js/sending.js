/** One file on its way: its row in the list, its request, and what became of it in words. */

export const ARRIVED = ["added", "known", "held"];
const BUSY_PAUSE = 15; // s to wait when the server is busy and does not say how long

export class Sending {
  /** `words` are the sentences of the page; `changed()` is called whenever the state is another. */
  constructor(file, row, words, changed) {
    Object.assign(this, { file, row, words, changed, state: "waiting" });
    row.querySelector(".upload-name").textContent = file.name;
    this.button = row.querySelector("button");
    this.button.addEventListener("click", () => this.press());
    this.wait();
  }

  get ended() {
    return !["waiting", "sending"].includes(this.state);
  }

  /** Whether sending it again makes sense. */
  get retryable() {
    return ["cancelled", "lost", "broken", "paused", "full"].includes(this.state);
  }

  press() {
    if (!this.ended) this.cancel();
    else if (this.retryable) this.urge();
    else this.row.remove();
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
    this.request?.abort();
    this.show("cancelled", this.words.cancelled);
  }

  /** Send the file with the form's choices; `arrived(result, used)` gets what the server says. */
  start(form, arrived) {
    const body = new FormData(form);
    body.set("photos", this.file, this.file.name);
    const request = new XMLHttpRequest();
    this.urged = false;
    this.request = request;
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => this.progress(event.loaded / event.total));
    request.addEventListener("load", () => this.answer(request, arrived));
    request.addEventListener("error", () => this.show("lost", this.words.offline));
    this.show("sending", this.words.sending.replace("{percent}", 0));
    request.send(body);
  }

  progress(share) {
    if (this.state !== "sending") return;
    this.row.querySelector("progress").value = share * 100;
    const percent = Math.round(share * 100);
    this.say(share < 1 ? this.words.sending.replace("{percent}", percent) : this.words.looking);
  }

  answer(request, arrived) {
    const result = request.response?.results?.[0];
    const seconds = Number(request.getResponseHeader("Retry-After"));
    if (result?.outcome === "limited") this.pause(seconds, `${result.text} ${this.words.later}`);
    else if (result) {
      // A photo over the allowance of paintings is answered with 429 as well, but it has arrived: never sent again.
      this.show(result.outcome, result.text);
      arrived(result, request.response.allowance);
    } else if (request.status === 429 || request.status === 503) this.pause(seconds, request.response?.text);
    else this.show("broken", request.status === 413 ? this.words.large : (request.response?.text ?? this.words.broken));
  }

  /** Keep the file, and send it again by itself when the server said. */
  pause(seconds, text) {
    this.show("paused", text ?? this.words.busy);
    this.timer = setTimeout(() => this.wait(), 1000 * (seconds || BUSY_PAUSE));
  }

  show(state, text) {
    this.state = state;
    this.row.dataset.state = state;
    this.row.querySelector("progress").hidden = this.ended;
    this.button.hidden = ARRIVED.includes(state);
    this.button.textContent = this.ended ? (this.retryable ? this.words.again : this.words.dismiss) : this.words.cancel;
    this.say(text);
    this.changed(this);
  }

  say(text) {
    this.row.querySelector(".upload-state").textContent = text;
  }
}
