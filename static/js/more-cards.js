/** "More photos" adds the next page to the cards that are there; where somebody was comes back with the page. */

import { announce } from "./announce.js";
import { countInTitle } from "./count-in-title.js";
import { watch } from "./lazy-pictures.js";

const cards = document.querySelector("live-cards");

/** Add the page that a link leads to, and put the keyboard on its first card. */
export async function addMore(link) {
  link.setAttribute("aria-busy", "true");
  try {
    const fresh = await append(link.href);
    const more = [...(history.state?.more ?? []), link.href];
    history.replaceState({ ...history.state, more }, "");
    const count = fresh.length;
    const { one, many } = link.closest(".pager").dataset;
    announce(count === 1 ? one : many.replace("{count}", count));
    fresh[0]?.querySelector(".plate-title a").focus({ preventScroll: true });
  } catch {
    location.href = link.href; // it says what is wrong
  }
}

/** The browser brings the page back as the server made it: add again what had been added, and go to the place. */
export async function addAgain({ more, top }) {
  try {
    for (const address of more) await append(address);
    if (scrollY === 0 || top > scrollY) scrollTo({ top, behavior: "instant" });
  } catch {
    // The link is still there.
  }
}

async function append(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = [...page.querySelectorAll("live-cards > .card")].filter((card) => !cards.card(card.dataset.photo));
  const pager = document.querySelector(".pager");
  const next = page.querySelector(".pager [rel=next]");
  cards.append(...fresh);
  fresh.forEach(watch);
  if (next) pager.querySelector("[rel=next]").replaceWith(next);
  else pager.remove();
  countInTitle();
  cards.status.quicken();
  return fresh;
}
