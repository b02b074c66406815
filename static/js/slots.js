/** Puts what has changed into a page without touching the rest: only slots whose state is another are replaced. */

/** Bring `old` up to `fresh`; return whether it could be done slot by slot. */
export function refresh(old, fresh) {
  const before = slotsOf(old);
  const after = slotsOf(fresh);
  if ([...before.keys()].join() !== [...after.keys()].join()) return false;
  for (const [name, slot] of after) if (slot.dataset.state !== before.get(name).dataset.state) swap(before.get(name), slot);
  copyFlags(old, fresh);
  return true;
}

/** Replace an element, and keep the keyboard where it was. */
export function swap(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(fresh);
  fresh.classList.add("developing");
  if (focused) (twin(fresh, focused) ?? fresh.querySelector("a, button"))?.focus({ preventScroll: true });
}

function twin(fresh, focused) {
  const address = focused.getAttribute("href");
  return address === null ? null : [...fresh.querySelectorAll("a")].find((link) => link.getAttribute("href") === address);
}

function slotsOf(root) {
  return new Map([...root.querySelectorAll("[data-slot]")].map((slot) => [slot.dataset.slot, slot]));
}

function copyFlags(old, fresh) {
  old.dataset.coming = fresh.dataset.coming;
  old.toggleAttribute("data-unfinished", fresh.hasAttribute("data-unfinished"));
}
