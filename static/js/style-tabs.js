/** Arrow keys go from painting to painting in a row of tabs that are links. */

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const tabs = event.target.closest?.(".tabs");
  if (!tabs || !(event.key in STEPS || event.key === "Home" || event.key === "End")) return;
  event.preventDefault();
  const links = [...tabs.querySelectorAll("a")];
  target(event, links).focus();
});

function target(event, links) {
  if (event.key === "Home") return links[0];
  if (event.key === "End") return links.at(-1);
  const mirrored = document.dir === "rtl" && event.key.match(/Left|Right/) ? -1 : 1;
  const place = links.indexOf(event.target) + STEPS[event.key] * mirrored;
  return links.at(place % links.length);
}
