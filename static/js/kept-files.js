/**
 * Photos that were chosen and are not sent yet, kept by the browser until they are.
 *
 * Each belongs to the person who chose it and to the tab that sends it. A tab holds a lock as long as it has some:
 * whoever gets the lock of another tab knows that this one has gone, and may take over what it left.
 */

const NAME = "uploads";
export const MARK = NAME; // in localStorage "yes" while something may be kept, "left" when somebody has signed out
export const able = Boolean(window.indexedDB);

const { locks } = navigator;
// Without locks (plain http in a home network) a tab keeps its name over a reload, and takes over nobody else's.
const tab = locks ? fresh() : (sessionStorage[NAME] ??= fresh());
let holding;
let letGo;
let keeping = 0; // files that are being written, which no list has yet

/** Keep a file with what is known of it; return its number. Rejected if the browser has no room. */
export async function keep(file, facts) {
  keeping += 1;
  try {
    await hold();
    localStorage.setItem(MARK, "yes");
    return await change((rows, files) => {
      const added = rows.add({ ...facts, tab });
      added.onsuccess = () => files.add(file, added.result);
      return added;
    });
  } finally {
    keeping -= 1;
  }
}

/** Write down more of a file, unless it is gone. */
export function note(number, facts) {
  return change((rows) => {
    const found = rows.get(number);
    found.onsuccess = () => found.result && rows.put({ ...found.result, ...facts });
  });
}

/** Forget a file. */
export async function drop(...numbers) {
  const left = await change((rows, files) => {
    for (const number of numbers) for (const store of [rows, files]) store.delete(number);
    return rows.getAll();
  });
  if (keeping > 0) return;
  if (left.length === 0) localStorage.removeItem(MARK);
  if (!left.some((row) => row.tab === tab)) release();
}

/** Call `come(kept)` with what this person's other tabs leave, once they are closed; forget what others have left. */
export async function takeOver(person, come) {
  const rows = await change((found) => found.getAll());
  const [own, strange] = [true, false].map((mine) => rows.filter((row) => (row.person === person) === mine));
  await drop(...strange.map((row) => row.number));
  if (!locks) return come(await adopt(tab, person));
  for (const other of new Set(own.map((row) => row.tab)))
    if (other !== tab) locks.request(lockOf(other), async () => come(await adopt(other, person)));
}

/** Forget everything, also what other tabs still send. */
export function forgetAll() {
  if (!able) return;
  localStorage.setItem(MARK, "left");
  indexedDB.deleteDatabase(NAME);
}

async function adopt(other, person) {
  await hold();
  const kept = [];
  await change((rows, files) => {
    rows.openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      const row = cursor.value;
      if (row.tab === other && row.person === person) {
        cursor.update({ ...row, tab });
        files.get(row.number).onsuccess = (event) => kept.push({ ...row, file: event.target.result });
      }
      cursor.continue();
    };
  });
  if (kept.length === 0) await drop(); // nothing is left to hold the lock for, perhaps
  return kept;
}

function hold() {
  if (!locks) return undefined;
  holding ??= new Promise((held) => {
    locks.request(lockOf(tab), () => {
      held();
      return new Promise((done) => (letGo = done));
    });
  });
  return holding;
}

/** Without a lock the page may be kept for the back button. */
function release() {
  letGo?.();
  holding = letGo = undefined;
}

/** Do something with the two stores in one transaction; return what it asked for, once all is written. */
async function change(act) {
  const base = await open();
  try {
    return await new Promise((done, fail) => {
      const transaction = base.transaction(["rows", "files"], "readwrite");
      const asked = act(transaction.objectStore("rows"), transaction.objectStore("files"));
      transaction.oncomplete = () => done(asked?.result);
      transaction.onabort = () => fail(transaction.error);
    });
  } finally {
    base.close();
  }
}

function open() {
  return new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore("rows", { keyPath: "number", autoIncrement: true });
      asked.result.createObjectStore("files"); // apart, so that a word more of a file does not copy it
    };
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

function lockOf(name) {
  return `${NAME} ${name}`;
}

function fresh() {
  return `${Date.now()}-${Math.random()}`;
}
