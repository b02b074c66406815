/** `<ba-compare>`: a slider over a photo and its painting; a native range input does keyboard, touch and speech. */

const PLACE = "compare-place"; // the slider stays where it was when another style is chosen
const KEYS = { 1: 100, 2: 50, 3: 0 }; // how much of the photo is seen

class BeforeAfter extends HTMLElement {
  connectedCallback() {
    this.slider = document.createElement("input");
    Object.assign(this.slider, { type: "range", className: "compare-slider", min: 0, max: 100, step: "any" });
    this.slider.setAttribute("aria-label", this.dataset.label);
    this.slider.addEventListener("input", () => this.show());
    this.slider.value = sessionStorage.getItem(PLACE) ?? 50;
    this.append(this.slider);
    this.press = (event) => this.jump(event);
    document.addEventListener("keydown", this.press);
    this.show();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.press);
    this.slider.remove();
  }

  show() {
    const photo = Math.round(this.slider.value);
    this.style.setProperty("--photo", `${this.slider.value}%`);
    const words = this.dataset.value.replace("{photo}", photo).replace("{painting}", 100 - photo);
    this.slider.setAttribute("aria-valuetext", words);
    sessionStorage.setItem(PLACE, photo);
  }

  jump(event) {
    const typing = event.target.matches?.("input:not([type=range]), textarea, select, [contenteditable]");
    const off = this.closest("[data-keys-off]") && event.target !== this.slider;
    if (typing || off || event.ctrlKey || event.altKey || event.metaKey || !(event.key in KEYS)) return;
    this.slider.value = KEYS[event.key];
    this.show();
  }
}

customElements.define("ba-compare", BeforeAfter);
