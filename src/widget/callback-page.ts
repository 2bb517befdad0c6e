import type { Context, TypedResponse } from "hono";
import { toBase64Url } from "../shared/crypto.ts";
import type { AppEnv } from "../access/env.ts";
import type { Handover } from "./visitor-sign-in.ts";

/** 128 random bits: no text in the page could guess the nonce. */
const NONCE_BYTES = 16;

/** A page, as Hono's typed client sees it: text. */
type Page = Response & TypedResponse<string, 200, "text">;

const STYLE =
  "body{font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:24rem;padding:0 1rem;color-scheme:light dark}";

/** Hands the message to the page that has opened this window, if its origin is one of these. The browser checks that. */
const SCRIPT = `
const { origins, message } = JSON.parse(document.getElementById("handover").textContent);
if (window.opener) {
  for (const origin of origins) window.opener.postMessage(message, origin);
  window.close();
}`;

/**
 * Answers with the page on which the sign-in of a visitor ends. Its script posts the outcome to the opener of the window. Security: the
 * token is in the body only, never in an address, and no other page than one of the origins receives it.
 */
export function handOver(c: Context<AppEnv>, handover: Handover): Page {
  const message = messageOf(handover);
  const sentence = "error" in message ? message.message : "You are signed in.";
  return page(c, `${sentence} You can close this window.`, { origins: handover.origins, message });
}

/** Answers with a page that says how a window that nothing is handed over from can go on. */
export const emptyPage = (c: Context<AppEnv>): Page => page(c, "You can close this window.");

/** Returns what the opener receives. Its members are those that the legacy widget reads. */
function messageOf({ outcome }: Handover) {
  if ("failure" in outcome) {
    const { failure, error } = outcome;
    return { type: "innomight-oauth-error", error: failure, message: SENTENCES[failure] ?? error.message };
  }
  const { token, visitorId, profile } = outcome;
  const { email, name, picture } = profile;
  return { type: "innomight-oauth-callback", token, visitor: { visitorId, email, name, picture } };
}

/** For failures whose own sentence is not for visitors. */
const SENTENCES: Readonly<Record<string, string>> = {
  access_denied: "You did not allow the sign-in.",
  email_not_verified: "Your e-mail address has not been verified.",
  unavailable: "The sign-in is not available at the moment. Please try again.",
};

function page(c: Context<AppEnv>, text: string, handover?: object): Page {
  const nonce = toBase64Url(crypto.getRandomValues(new Uint8Array(NONCE_BYTES)));
  const data =
    handover === undefined
      ? ""
      : `<script id="handover" type="application/json" nonce="${nonce}">${escapedJson(handover)}</script><script nonce="${nonce}">${SCRIPT}</script>`;
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign-in</title><style nonce="${nonce}">${STYLE}</style></head><body><p>${escapedText(text)}</p>${data}</body></html>`;
  keepOpener(c);
  c.header(
    "content-security-policy",
    `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  c.header("content-type", "text/html; charset=utf-8");
  return c.newResponse(html, 200) as Page;
}

/** Every answer on the way of the window must keep its opener, which browsers cut off otherwise. */
export const keepOpener = (c: Context<AppEnv>): void => c.header("cross-origin-opener-policy", "unsafe-none");

/** Returns JSON that can't end the element that contains it. */
const escapedJson = (value: object): string => JSON.stringify(value).replaceAll("<", "\\u003c");

const escapedText = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
