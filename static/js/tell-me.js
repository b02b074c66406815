/** `<tell-me>`: a notification when all is painted; the browser's question comes only after a press of the button. */

const KEPT = "tell-me";

/** Whether somebody has asked to be told, in this browser, and the browser allows it. */
export function wantsToBeTold() {
  return window.Notification?.permission === "granted" && localStorage.getItem(KEPT) === "yes";
}

class TellMe extends HTMLElement {
  connectedCallback() {
    this.hidden = !window.Notification;
    if (this.hidden) return;
    this.button = this.querySelector("button");
    this.refusal = this.querySelector("[role=alert]");
    this.coming = 0;
    this.button.addEventListener("click", () => this.turn());
    this.count = ({ detail }) => this.change(detail);
    document.addEventListener("coming", this.count);
    this.show();
  }

  disconnectedCallback() {
    document.removeEventListener("coming", this.count);
  }

  async turn() {
    const wanted = !wantsToBeTold();
    const allowed = !wanted || (await Notification.requestPermission()) === "granted";
    this.refusal.hidden = allowed;
    localStorage.setItem(KEPT, wanted && allowed ? "yes" : "no");
    this.show();
  }

  show() {
    this.button.setAttribute("aria-pressed", wantsToBeTold());
  }

  change(coming) {
    if (this.coming > 0 && coming === 0 && document.hidden && wantsToBeTold()) this.tell();
    this.coming = coming;
  }

  tell() {
    try {
      // Two tabs that watched the same photos say it once.
      const note = new Notification(this.dataset.title, { body: this.dataset.body, tag: KEPT });
      note.onclick = () => window.focus();
    } catch {
      // Phones show notifications only for installed sites; the title says it as well.
    }
  }
}

customElements.define("tell-me", TellMe);
