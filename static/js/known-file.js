/** Asks by a file's hash whether this person has brought it before: then nothing of it has to be sent. */

const WORTH = 100_000; // bytes: smaller files are sent as fast as they are asked for
const MOST = 100_000_000; // bytes that are read into memory for it

/** Return the server's answer of a photo that it knows, or null if the file must be sent. */
export async function askFirst(file, body, address, signal) {
  if (!window.crypto?.subtle || file.size < WORTH || file.size > MOST) return null; // plain http has no hashes
  try {
    const hash = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    body.set("sha256", [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
    body.set("name", file.name);
    const answer = await fetch(address, { method: "POST", body, signal, headers: { Accept: "application/json" } });
    const said = answer.redirected ? null : await answer.json();
    return said?.results?.length ? said : null;
  } catch {
    return null; // whatever was wrong is said when it is sent
  }
}
