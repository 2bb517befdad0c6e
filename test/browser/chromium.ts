import { access, constants } from "node:fs/promises";
import { type Browser, chromium } from "playwright-core";

/** Where Debian installs Chromium without a user interface, which opens pages in a third of the time, and Chromium itself. */
const USUAL_PATHS = ["/usr/bin/chromium-headless-shell", "/usr/bin/chromium"];

/** No name but this machine's is found, so a page that asks for anything else gets nothing, and the test notices the attempt. */
const OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1";

/** A script that opens the shadow roots of a page: the widget's is closed to scripts, and so to whoever drives the browser. */
export const OPEN_ROOTS = `
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    globalThis.requestedMode = init.mode;
    return attach.call(this, { ...init, mode: "open" });
  };
`;

/**
 * Starts Chromium without a window: the program that the variable `CHROMIUM` names, or Debian's. Throws a sentence that says how to
 * install it if it is missing.
 */
export async function launchChromium(): Promise<Browser> {
  // A busy machine may take long to start it.
  return chromium.launch({ executablePath: await findChromium(), args: [OFFLINE], timeout: 300_000 });
}

async function findChromium(): Promise<string> {
  const named = process.env["CHROMIUM"];
  const paths = named ? [named] : USUAL_PATHS;
  const reasons: unknown[] = [];
  for (const path of paths) {
    try {
      await access(path, constants.X_OK);
      return path;
    } catch (reason) {
      reasons.push(reason);
    }
  }
  throw new AggregateError(
    reasons,
    `There is no Chromium at ${paths.join(" or ")}. Install it (Debian: apt-get install chromium-headless-shell; ` +
      "Ubuntu: apt-get install chromium), or set CHROMIUM to the path of another one.",
  );
}
