/** Shows in the page's title how many paintings are still to come, for people who are in another tab. */

const plain = document.title;

export function countInTitle() {
  const parts = [...document.querySelectorAll("[data-coming]")];
  const coming = parts.reduce((sum, part) => sum + Number(part.dataset.coming), 0);
  document.title = coming > 0 ? `(${coming}) ${plain}` : plain;
  document.dispatchEvent(new CustomEvent("coming", { detail: coming }));
}
