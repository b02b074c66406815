/** Keeps the figures of the desk fresh: the page is fetched again now and then, and its live parts are replaced. */

const EVERY = 30_000; // ms; the server counts rows for it

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const newer = fresh.getElementById(part.id);
    // Nothing is taken from under somebody's finger, and nothing that is open is closed.
    if (newer && !part.contains(document.activeElement) && !part.querySelector("details[open]")) {
      part.innerHTML = newer.innerHTML;
    }
  }
}

setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
