/** What people do on a photo's page; it comes after the pictures, as each file of a script would wait in their queue. */

function listen() {
  import("./live-photo.js");
  import("./take-home.js");
  import("./photo-page.js");
  import("./style-tabs.js");
}

if (document.readyState === "complete") listen();
else addEventListener("load", listen, { once: true });
