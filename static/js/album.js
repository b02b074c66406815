/** What people do on the album's page; it comes after the first pictures. */

import "./zone.js";

function listen() {
  const living = import("./live-cards.js");
  if (history.state?.more) Promise.all([import("./more-cards.js"), living]).then(([{ addAgain }]) => addAgain(history.state));
  import("./in-hand.js");
  import("./photo-upload.js");
  import("./installed.js");
  import("./choosing.js");
  if (document.getElementById("keys")) import("./album-keys.js");
}

// Loaded when it is wanted: most people do not go on, and a page that was left in the middle says so.
document.addEventListener("click", async (event) => {
  const link = event.target.closest(".pager [rel=next]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || !customElements.get("live-cards")) return;
  event.preventDefault();
  const { addMore } = await import("./more-cards.js");
  addMore(link);
});
addEventListener("pagehide", () => history.state?.more && history.replaceState({ ...history.state, top: scrollY }, ""));

// On a slow line each file of a script waits in the same queue as the pictures that people came for.
if (document.readyState === "complete") listen();
else addEventListener("load", listen, { once: true });
