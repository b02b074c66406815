/** The page of a file that is being made: asks until it is there, then goes on to it, and never reloads meanwhile. */

const PAUSE = 2000; // ms between two questions

const isReady = async () => {
  const answer = await fetch(location.href, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer !== null && answer.status !== 202;
};

const ask = async () => {
  if (await isReady()) location.reload();
  else setTimeout(ask, PAUSE);
};

setTimeout(ask, PAUSE);
