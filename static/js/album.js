/** What people do on the album's page; it comes after the first pictures. */

import "./zone.js";

function listen() {
  import("./live-cards.js");
  import("./in-hand.js");
  import("./photo-upload.js");
  import("./installed.js");
  import("./choosing.js");
  if (document.getElementById("keys")) import("./album-keys.js");
}

// On a slow line each file of a script waits in the same queue as the pictures that people came for.
if (document.readyState === "complete") listen();
else addEventListener("load", listen, { once: true });
