/** The photo's page by keys, and its paintings on the full screen. Single keys can be switched off in the settings. */

const STEPS = { "[": -1, "]": 1 };
const PRESSABLE = "a, button, summary, select, textarea, input:not([type=range]), [contenteditable]";
const MOST = 8; // times larger
const PAN = 80; // pixels that an arrow key moves an enlarged picture
const SWIPE = 60; // pixels sideways that mean the next picture

const page = document.querySelector("live-photo");
const keysOn = !page.hasAttribute("data-keys-off");
const viewer = document.querySelector(".viewer");
const all = (query) => [...document.querySelectorAll(query)];

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || viewer?.open) return;
  if (!keysOn || event.target.closest?.(PRESSABLE + ", dialog")) return;
  if (event.key === " ") hold(event);
  else if (event.key in STEPS) turn(STEPS[event.key]);
  else document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
});

document.addEventListener("keyup", (event) => event.key === " " && release());
addEventListener("blur", release);

/** The photo alone, for as long as the key is held. */
function hold(event) {
  event.preventDefault();
  document.querySelector("ba-compare")?.classList.add("held");
}

function release() {
  document.querySelector("ba-compare")?.classList.remove("held");
}

function turn(step) {
  const tabs = all(".tab");
  const here = tabs.findIndex((tab) => tab.ariaCurrent === "page");
  tabs.at((here + step) % tabs.length)?.click();
}

if (viewer) {
  const stage = viewer.querySelector(".viewer-stage");
  const picture = Object.assign(new Image(), { draggable: false });
  const fingers = new Map();
  let shown = [];
  let place = 0;
  let [zoom, x, y] = [1, 0, 0];
  let touched = null; // where a single finger came down

  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-view]");
    if (!opener || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const tabs = all(".tab[data-large]");
    const paintings = tabs.map((tab) => ({ src: tab.dataset.large, name: tab.querySelector(".tab-name").textContent, look: tab.querySelector(".tab-look").textContent }));
    shown = [{ src: viewer.dataset.photo, name: viewer.dataset.photoName }, ...paintings];
    stage.append(picture);
    viewer.showModal();
    stage.focus();
    show(1 + tabs.findIndex((tab) => tab.ariaCurrent === "page"));
  });

  function show(wanted) {
    place = (wanted + shown.length) % shown.length;
    const { src, name, look } = shown[place];
    picture.src = src;
    picture.alt = [name, look].filter(Boolean).join(", ");
    viewer.querySelector(".viewer-name").textContent = `${picture.alt} (${place + 1}/${shown.length})`;
    lay(1, 0, 0);
  }

  function lay(newZoom, newX, newY) {
    zoom = Math.min(MOST, Math.max(1, newZoom));
    const room = (size) => (size * (zoom - 1)) / 2;
    const within = (value, most) => Math.min(most, Math.max(-most, value));
    x = within(newX, room(stage.clientWidth));
    y = within(newY, room(stage.clientHeight));
    picture.style.transform = `translate(${x}px, ${y}px) scale(${zoom})`;
    viewer.toggleAttribute("data-near", zoom > 1);
  }

  /** What is under the pointer stays under it. */
  function enlarge(factor, event) {
    const box = stage.getBoundingClientRect();
    const [toX, toY] = event ? [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2] : [0, 0];
    const real = Math.min(MOST, Math.max(1, zoom * factor)) / zoom;
    lay(zoom * real, toX - (toX - x) * real, toY - (toY - y) * real);
  }

  const ways = {
    ArrowLeft: () => (zoom > 1 ? lay(zoom, x + PAN, y) : show(place - 1)),
    ArrowRight: () => (zoom > 1 ? lay(zoom, x - PAN, y) : show(place + 1)),
    ArrowUp: () => lay(zoom, x, y + PAN),
    ArrowDown: () => lay(zoom, x, y - PAN),
    "+": () => enlarge(1.5),
    "=": () => enlarge(1.5),
    "-": () => enlarge(1 / 1.5),
    0: () => lay(1, 0, 0),
    "[": () => show(place - 1),
    "]": () => show(place + 1),
  };

  viewer.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in ways)) return;
    event.preventDefault();
    ways[event.key]();
  });

  viewer.addEventListener("click", ({ target }) => {
    const { step, zoom: factor, leave } = target.closest("button")?.dataset ?? {};
    if (step) show(place + Number(step));
    if (factor) enlarge(Number(factor));
    if (leave !== undefined) viewer.close();
  });

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    enlarge(event.deltaY < 0 ? 1.2 : 1 / 1.2, event);
  }, { passive: false });

  stage.addEventListener("dblclick", (event) => (zoom > 1 ? lay(1, 0, 0) : enlarge(3, event)));
  stage.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, event);
    touched = fingers.size === 1 && event.pointerType !== "mouse" ? event : null;
    stage.setPointerCapture(event.pointerId);
  });
  for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => fingers.delete(event.pointerId));

  /** A finger that goes sideways over a picture as it is turns the page. */
  stage.addEventListener("pointerup", (event) => {
    const [aside, along] = touched ? [event.clientX - touched.clientX, event.clientY - touched.clientY] : [0, 0];
    if (zoom === 1 && Math.abs(aside) > Math.max(SWIPE, 2 * Math.abs(along))) show(place - Math.sign(aside));
    touched = null;
  });

  stage.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const before = grip();
    fingers.set(event.pointerId, event);
    const after = grip();
    x += after.clientX - before.clientX;
    y += after.clientY - before.clientY;
    enlarge(before.apart ? after.apart / before.apart : 1, after);
  });

  /** The middle of one finger or two, and how far apart they are. */
  function grip() {
    const [one, other = one] = fingers.values();
    const apart = Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    return { clientX: (one.clientX + other.clientX) / 2, clientY: (one.clientY + other.clientY) / 2, apart };
  }
}
