/** Raises pictures from placeholder to thumbnail when they come near, and to sharp when somebody stays to look. */

const DWELL = 250; // ms in view before a sharp file is worth its bytes
const WORTH = 1.5; // how much sharper it must be
const AT_ONCE = 2; // sharp files under way
const IN_SIGHT = "0px"; // nothing competes with the first screen
const AT_REST = "200px"; // what is looked at next
const ON_THE_WAY = "2000px"; // far enough that nobody scrolls into a placeholder

const thrifty = navigator.connection?.saveData === true;
const timers = new WeakMap();
const raised = new WeakSet();
const queue = [];
let underWay = 0;
let reach = document.readyState === "complete" ? AT_REST : IN_SIGHT;
let near = observer(reach);

const seen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    clearTimeout(timers.get(target));
    if (isIntersecting) timers.set(target, setTimeout(sharpen, DWELL, target));
  }
}, { threshold: 0.2 });

/** Look after the pictures inside an element that has just come into the page. */
export function watch(root) {
  for (const picture of root.querySelectorAll("img[data-src]")) near.observe(picture);
  if (thrifty || document.readyState !== "complete") return;
  for (const picture of root.querySelectorAll("img[data-sharp]:not([data-src])")) seen.observe(picture);
}

function observer(margin) {
  return new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) if (isIntersecting) raise(target);
  }, { rootMargin: margin });
}

async function raise(picture) {
  near.unobserve(picture);
  if (raised.has(picture)) return;
  raised.add(picture);
  const placeholder = picture.src;
  picture.loading = "eager";
  picture.src = picture.dataset.src;
  try {
    await picture.decode();
  } catch {
    picture.src = placeholder;
  }
  delete picture.dataset.src;
  if (picture.dataset.sharp && !thrifty && document.readyState === "complete") seen.observe(picture);
}

function sharpen(picture) {
  seen.unobserve(picture);
  const needed = picture.clientWidth * devicePixelRatio;
  if (needed <= picture.getAttribute("width") * WORTH || queue.includes(picture)) return;
  queue.push(picture);
  next();
}

async function next() {
  if (underWay >= AT_ONCE || queue.length === 0) return;
  underWay += 1;
  const picture = queue.shift();
  const file = new Image();
  file.src = picture.dataset.sharp;
  try {
    await file.decode();
    picture.src = file.src;
    delete picture.dataset.sharp;
  } catch {
    // The thumbnail stays: it shows the same picture.
  }
  underWay -= 1;
  next();
}

function reachOut(farther) {
  if (reach !== ON_THE_WAY) reach = farther;
  near.disconnect();
  near = observer(reach);
  watch(document);
}

watch(document);
addEventListener("load", () => reachOut(AT_REST), { once: true });
addEventListener("scroll", () => reachOut(ON_THE_WAY), { once: true, passive: true });
