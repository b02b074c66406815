/** Shows a photo on its card from the person's own file, until the server's thumbnail is there. */

const WIDTH = 480;

let last = Promise.resolve();

/** Draw the file on the card, one after the other: a phone cannot decode ten big photos at once. */
export function previewOn(card, file) {
  const cover = card.querySelector(".card-cover");
  if (cover.querySelector("img")) return;
  last = last.then(() => draw(cover, file)).catch(() => {}); // a format that this browser cannot read has no preview
}

async function draw(cover, file) {
  const bitmap = await createImageBitmap(file, { resizeWidth: WIDTH, resizeQuality: "medium" });
  const canvas = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  canvas.getContext("bitmaprenderer").transferFromImageBitmap(bitmap);
  canvas.ariaHidden = "true";
  cover.append(canvas);
}
