/** After somebody has signed out: photos that this browser kept to send them are gone, whoever signs in next. */

import { forgetAll } from "./kept-files.js";

if (location.hash === "#left") {
  history.replaceState(history.state, "", location.pathname + location.search);
  forgetAll();
}
