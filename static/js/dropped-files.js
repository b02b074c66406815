/** Files that are dropped anywhere on the page, folders with all they hold, and files that are pasted. */

const PICTURE = /\.(jpe?g|png|webp|avif|hei[cf]|tiff?|gif|bmp)$/i;

/** Call `take(files)` whenever files come; while they hover over the page, say `invitation`. */
export function listenForFiles(take, invitation) {
  const veil = Object.assign(document.createElement("p"), { className: "veil", textContent: invitation, hidden: true });
  document.body.append(veil);
  let depth = 0; // every element inside the page sends its own enter and leave
  const hover = (change) => (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  document.addEventListener("dragenter", hover(1));
  document.addEventListener("dragleave", hover(-1));
  document.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  document.addEventListener("drop", async (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    hover(-Infinity)(event);
    take(await filesOf(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) take(files);
  });
}

function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") === true;
}

async function filesOf(transfer) {
  // Entries must be taken before the first await: the transfer is emptied after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  return (await Promise.all(entries.map(inside))).flat();
}

async function inside(entry) {
  if (entry.isFile) return [await new Promise((done, fail) => entry.file(done, fail))];
  const files = (await Promise.all((await entriesOf(entry)).map(inside))).flat();
  return files.filter((file) => PICTURE.test(file.name));
}

async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  // A folder hands out at most a hundred entries at a time, and an empty list at the end.
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
