/** A page's big pictures: soon as sharp as a plain screen needs them, and once all has come as sharp as this one shows. */

const thrifty = navigator.connection?.saveData === true;

const loaded = new Promise((resolve) => {
  if (document.readyState === "complete") resolve();
  else addEventListener("load", resolve, { once: true });
});

/** What comes into a page that is there already comes whole, not in steps; it was read as by a browser without scripts. */
export function whole(root) {
  for (const spare of root.querySelectorAll("noscript")) spare.remove();
  for (const picture of root.querySelectorAll("img[data-sizes]")) show(picture, picture.dataset.sizes);
}

async function raise(picture) {
  const { srcset, first, sizes } = picture.dataset;
  if (srcset) await change(picture, first);
  await loaded;
  if (!thrifty) change(picture, sizes);
}

/** Change a picture once the file is there that the browser chooses for these sizes. */
async function change(picture, sizes) {
  const file = new Image();
  Object.assign(file, { sizes, srcset: picture.dataset.srcset ?? picture.srcset });
  try {
    await file.decode();
    show(picture, sizes);
  } catch {
    // What is there shows the same picture.
  }
}

function show(picture, sizes) {
  Object.assign(picture, { sizes, srcset: picture.dataset.srcset ?? picture.srcset });
  delete picture.dataset.srcset;
}

function raiseAll() {
  for (const picture of document.querySelectorAll("img[data-sizes]")) raise(picture);
}

// It does not wait for the style sheets as other modules do, so that a kept copy may run before the page is read.
if (document.readyState === "loading") document.addEventListener("readystatechange", raiseAll, { once: true });
else raiseAll();
