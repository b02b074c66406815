/** Cancelling and trying again on the album's page, without leaving it: photos may be on their way meanwhile. */

import { announce } from "./announce.js";

document.addEventListener("submit", async (event) => {
  if (event.target.id !== "in-hand") return;
  event.preventDefault();
  const { target: form, submitter: button } = event;
  button.disabled = true;
  try {
    const headers = { Accept: "application/json" };
    const address = button.getAttribute("formaction") ?? form.action;
    const answer = await fetch(address, { method: "POST", body: new FormData(form), headers });
    if (!answer.ok || answer.redirected) throw new Error(`status ${answer.status}`);
    announce((await answer.json()).text);
    look(button);
  } catch {
    location.reload();
  }
  button.disabled = false;
});

/** What failed changes again from now on: one card if the button is in it, else all. */
function look(button) {
  const cards = document.querySelector("live-cards");
  const own = button.closest(".card");
  for (const retry of (own ?? cards).querySelectorAll('.plate-hand [formaction$="/retry/"]'))
    retry.closest(".card").toggleAttribute("data-unfinished", true);
  cards.status.quicken();
}
