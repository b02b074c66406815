// Answers when there is no line, and takes photos that are shared to the app. No page and no picture of anybody is kept.

let shared = []; // photos that were shared, until the album asks for them

addEventListener("install", (event) => {
  event.waitUntil(caches.open(SITE.version).then((cache) => cache.addAll(SITE.kept)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forget(), registration.navigationPreload?.enable(), clients.claim()]));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === SITE.incoming) event.respondWith(take(request));
  else if (request.mode === "navigate" && request.method === "GET") event.respondWith(navigate(event));
  else if (SITE.kept.includes(pathname)) event.respondWith(fetch(request).catch(() => caches.match(pathname)));
});

addEventListener("message", (event) => {
  if (event.data !== "shared?") return;
  event.source.postMessage({ shared });
  shared = [];
});

async function navigate(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return caches.match(SITE.kept[0]);
  }
}

async function take(request) {
  shared = (await request.formData()).getAll("photos");
  return Response.redirect(`${SITE.album}#shared`, 303);
}

async function forget() {
  const old = (await caches.keys()).filter((name) => name !== SITE.version);
  return Promise.all(old.map((name) => caches.delete(name)));
}
