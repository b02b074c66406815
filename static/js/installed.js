/** The site as an app: a page for times without a line, and photos that are shared to it from other apps. */

const workers = navigator.serviceWorker;

workers?.register("/service-worker.js").catch(() => {
  // Not over plain http, and not where people forbid it: then there is no offline page.
});

if (workers && location.hash === "#shared") {
  history.replaceState(history.state, "", location.pathname + location.search);
  workers.addEventListener("message", async ({ data }) => {
    await customElements.whenDefined("photo-upload");
    if (data.shared?.length) document.querySelector("photo-upload").add(data.shared);
  }, { once: true });
  workers.startMessages();
  workers.ready.then(({ active }) => active.postMessage("shared?"));
}
