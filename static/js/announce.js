/** Says a sentence to people who listen instead of looking, through the page's one live region. */

const PAUSE = 700; // ms: sentences that come together are said together

let waiting = [];

export function announce(sentence) {
  waiting.push(sentence);
  if (waiting.length === 1) setTimeout(speak, PAUSE);
}

function speak() {
  document.getElementById("announcer").textContent = waiting.join(" ");
  waiting = [];
}
