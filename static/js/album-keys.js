/** Single keys on the album's page; for whoever has switched them off, this is not loaded. */

import { remove } from "./choosing.js";

const FIELDS = "input:not([type=checkbox]), select, textarea, [contenteditable]";

const album = document.querySelector("live-cards");
const form = document.getElementById("chosen");
let here; // the card where the keys are

const anywhere = {
  "?": () => document.getElementById("keys").togglePopover(),
  "/": () => document.getElementById("album_words")?.focus(),
  u: () => document.querySelector(".upload-files").click(),
  j: () => go(1),
  k: () => go(-1),
};
const onCard = {
  Enter: () => here?.querySelector(".card-cover").click(),
  x: (event) => click(".card-choose", event),
  f: (event) => click(".heart", event),
  d: () => use("[data-zip]"),
  s: () => use("[value=share]"),
  Delete: discard,
};

function chosen() {
  return album.querySelector(".card-choose:checked");
}

function go(step) {
  const all = [...album.querySelectorAll(".card")];
  const place = all.indexOf(here);
  const next = all[place < 0 ? 0 : place + step];
  if (!next) return;
  here?.classList.remove("here");
  here = next;
  here.classList.add("here");
  here.querySelector(".plate-title a").focus({ preventScroll: true });
  here.scrollIntoView({ block: "center", behavior: "instant" });
}

function click(selector, { shiftKey }) {
  if (!here) return;
  here.querySelector(selector).dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
}

/** Press a button of the chosen ones; where none is chosen, for the card where the keys are. */
function use(selector) {
  const alone = !chosen();
  if (alone) click(".card-choose", {});
  form.requestSubmit(form.querySelector(selector));
  if (alone) click(".card-choose", {});
}

/** Without a question, as it can be undone: the chosen ones, or the one where the keys are. */
function discard() {
  if (chosen()) return form.requestSubmit(form.querySelector("[value=remove]"));
  const gone = here;
  go(1);
  if (here === gone) go(-1);
  const body = new FormData(form);
  body.set("do", "remove");
  body.set("photo", gone.dataset.photo);
  remove(form.action, body, [gone]).catch(() => location.reload());
}

/** Whatever has the keyboard says where the keys are; a card that was painted meanwhile is another element. */
function find() {
  const focused = document.activeElement?.closest?.(".card");
  if (focused && focused !== here) {
    here?.classList.remove("here");
    here = focused;
  }
  if (here && !here.isConnected) here = album.card(here.dataset.photo) ?? undefined;
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(FIELDS) || document.querySelector("dialog[open]")) return;
  find();
  // Enter on a link or button is the browser's own business.
  if (event.key === "Enter" && event.target !== document.body) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key; // Shift and x choose a range
  const act = anywhere[key] ?? (form && (here || chosen()) ? onCard[key] : undefined);
  if (!act) return;
  event.preventDefault();
  act(event);
});
