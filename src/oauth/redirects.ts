/**
 * The rules for redirect addresses. Threat: the address gets the code, so whoever chooses it freely takes over the connection, and an
 * address that a browser itself runs or opens would run as this service's page.
 */

/** The longest redirect address, in characters. */
const MAX_CHARS = 1_000;

/**
 * A scheme, a slash, and only characters of RFC 3986, without a fragment. Parsers differ about other characters: some drop line breaks, or
 * read a backslash as a slash.
 */
const ADDRESS = /^[a-z][a-z\d+.-]*:\/[\w/.~:?[\]@!$&'()*+,;=%-]*$/iu;

/** Schemes that browsers or systems interpret themselves. Those without a slash, such as `mailto:`, are refused by their form. */
const REFUSED_SCHEMES: ReadonlySet<string> = new Set([
  "about:",
  "blob:",
  "chrome-extension:",
  "chrome:",
  "data:",
  "edge:",
  "file:",
  "filesystem:",
  "ftp:",
  "http:",
  "intent:",
  "jar:",
  "javascript:",
  "moz-extension:",
  "ms-msdt:",
  "resource:",
  "search-ms:",
  "shell:",
  "vbscript:",
  "view-source:",
  "ws:",
  "wss:",
]);

/** `localhost` is not recommended by RFC 8252, but clients use it; browsers resolve it to the machine itself. */
const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * Returns whether a client may have this redirect address: https, http on the client's own machine, or a scheme of a program's own
 * (RFC 8252, section 7), with a slash after the colon. It has neither a fragment (RFC 6749, section 3.1.2) nor a user name, which could
 * hide the host.
 */
export function isRedirectUri(text: string): boolean {
  if (text.length > MAX_CHARS || !ADDRESS.test(text)) return false;
  const url = URL.parse(text);
  if (!url || url.username !== "" || url.password !== "") return false;
  if (isLoopback(url) || url.protocol === "https:") return true;
  return !REFUSED_SCHEMES.has(url.protocol);
}

/** Returns whether an address leads to a program on the machine of the person. */
export const isOwnMachine = (text: string): boolean => {
  const url = URL.parse(text);
  return url !== null && url.protocol !== "https:" && (isLoopback(url) || url.protocol !== "http:");
};

/**
 * Returns whether an address is the registered one, character by character. Only the port of a loopback address may differ, because
 * programs get theirs from the system (RFC 8252, section 7.3).
 */
export function matchesRedirect(registered: string, asked: string): boolean {
  // Also for the registered one: ids of clients last, and the rules may become stricter.
  if (!isRedirectUri(asked)) return false;
  if (registered === asked) return true;
  return LOOPBACK_ORIGIN.test(registered) && withoutPort(registered) === withoutPort(asked);
}

/** Returns what people are shown of an address: its host, or the scheme of a program's own. */
export function hostOf(text: string): string {
  const url = URL.parse(text);
  if (!url) return "";
  return url.protocol === "https:" || url.protocol === "http:" ? url.host : url.protocol;
}

/** Returns an address with the parameters of an answer added. */
export function withParameters(address: string, parameters: Readonly<Record<string, string>>): string {
  const added = new URLSearchParams(parameters).toString();
  return `${address}${address.includes("?") ? "&" : "?"}${added}`;
}

/** The origin of a loopback address, with or without a port. */
const LOOPBACK_ORIGIN = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)/u;

const withoutPort = (address: string): string => address.replace(LOOPBACK_ORIGIN, "$1");

const isLoopback = ({ protocol, hostname }: URL): boolean => protocol === "http:" && LOOPBACK.has(hostname);
