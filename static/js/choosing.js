/** Choosing several photos of the album: a range with Shift, a long press on the phone, Escape for none; hearts; undo. */

import { announce } from "./announce.js";

const LONG = 500; // ms that a finger stays
const UNDO = 10_000; // ms for which the button stays

const cards = document.querySelector("live-cards");
const form = document.getElementById("chosen");
const count = form?.querySelector(".chosen-count");
let last; // the box that was ticked before, where a range begins
let press;

export const boxes = () => [...cards.querySelectorAll(".card-choose")];

/** Tick or untick a card's box, and all between it and the last one if a range is wanted. */
export function choose(box, checked, range = false) {
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((one, other) => one - other);
  for (const each of range && from >= 0 ? all.slice(from, to + 1) : [box]) each.checked = checked;
  last = box;
  show();
}

/** Untick everything; return whether anything was ticked. */
export function chooseNone() {
  const any = boxes().some((box) => box.checked);
  for (const box of boxes()) box.checked = false;
  last = undefined;
  show();
  return any;
}

/** Put photos into the bin, and offer to undo it. */
export async function remove(address, body, gone) {
  const { text, undo } = await send(address, body);
  announce(text);
  if (!undo) return;
  const places = gone.map((card) => [card, card.nextElementSibling]); // the last first, so that each finds its neighbor
  for (const card of gone) {
    card.querySelector(".card-choose").checked = false;
    card.remove();
  }
  show();
  offer(text, async () => {
    const at = new FormData(form);
    at.set("at", undo);
    announce((await send(document.getElementById("toast").dataset.address, at)).text);
    for (const [card, next] of places.reverse()) cards.insertBefore(card, next?.isConnected ? next : null);
    refresh(gone);
    gone[0]?.querySelector("h2 a").focus();
  });
}

async function send(address, body) {
  const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  return answer.json();
}

function offer(text, undo) {
  document.querySelector(".toast")?.remove();
  const toast = document.getElementById("toast").content.firstElementChild.cloneNode(true);
  toast.firstElementChild.textContent = text;
  toast.lastElementChild.addEventListener("click", () => {
    toast.remove();
    undo().catch(() => location.reload());
  });
  document.body.append(toast);
  const leave = () => (toast.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : toast.remove());
  setTimeout(leave, UNDO);
}

function show() {
  const number = boxes().filter((box) => box.checked).length;
  count.textContent = number === 1 ? count.dataset.one : count.dataset.many.replace("{count}", number);
}

/** These cards say something else now: the server is asked for them. */
function refresh(changed) {
  for (const card of changed) {
    card.toggleAttribute("data-unfinished", true);
    cards.status.versions.delete(card.dataset.photo); // sent also if it is as it was before
  }
  cards.status.quicken();
}

async function submit(event) {
  const { submitter: button } = event;
  if (!button || button.hasAttribute("data-plain")) return;
  event.preventDefault();
  const body = new FormData(form);
  body.set(button.name, button.value);
  try {
    if (button.classList.contains("heart")) await favor(button, body);
    else await act(button, body);
  } catch {
    location.reload();
  }
}

async function favor(heart, body) {
  const pressed = heart.value !== "";
  heart.setAttribute("aria-pressed", pressed);
  heart.value = pressed ? "" : "1";
  heart.dataset.state = pressed ? "yes" : "no";
  announce((await send(heart.getAttribute("formaction"), body)).text);
}

async function act(button, body) {
  const chosen = boxes().filter((box) => box.checked).map((box) => box.closest(".card"));
  button.disabled = true;
  try {
    if (button.value === "remove") await remove(form.action, body, chosen);
    else {
      announce((await send(form.action, body)).text);
      refresh(chosen);
    }
    chooseNone();
  } finally {
    button.disabled = false;
  }
}

function touch(event) {
  const cover = event.target.closest(".card-cover");
  if (!cover || event.pointerType !== "touch") return;
  const box = cover.closest(".card").querySelector(".card-choose");
  const [x, y] = [event.clientX, event.clientY];
  press = { x, y, timer: setTimeout(() => hold(box), LONG) };
}

function hold(box) {
  press.held = true;
  choose(box, !box.checked);
  navigator.vibrate?.(20);
}

function lift(event) {
  const moved = press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > 10;
  if (event.type !== "pointermove" || moved) clearTimeout(press?.timer);
  if (event.type !== "pointermove") setTimeout(() => (press = undefined), 100); // after the click, if there is one
}

function click(event) {
  const box = event.target.closest(".card-choose");
  if (box) return choose(box, box.checked, event.shiftKey);
  const cover = event.target.closest(".card-cover");
  if (!cover) return;
  // A long press is no click; and once something is chosen, a tap chooses as well.
  const own = cover.closest(".card").querySelector(".card-choose");
  const tapped = event.pointerType === "touch" && boxes().some((each) => each.checked);
  if (press?.held || tapped) event.preventDefault();
  if (tapped && !press?.held) choose(own, !own.checked);
  press = undefined;
}

if (form) {
  document.documentElement.classList.add("choosing");
  form.addEventListener("submit", submit);
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    chooseNone();
  });
  cards.addEventListener("click", click);
  cards.addEventListener("pointerdown", touch);
  for (const type of ["pointermove", "pointerup", "pointercancel"]) cards.addEventListener(type, lift);
  cards.addEventListener("contextmenu", (event) => press && event.preventDefault());
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector(":popover-open, dialog[open]")) chooseNone();
  });
  show();
}
