import { useEffect, useState } from "preact/hooks";

/**
 * Returns the segments of an address such as `#/chat/AGENT/CONVERSATION`, decoded. What cannot be decoded stays as it is: people may
 * change addresses by hand.
 */
export const segmentsOf = (hash: string): readonly string[] =>
  hash
    .replace(/^#?\/?/u, "")
    .split("?", 1)[0]
    ?.split("/")
    .filter((segment) => segment !== "")
    .map(decoded) ?? [];

/** Returns the parameters behind the question mark of an address such as `#/sign-in?error=auth_failed`. */
export function parametersOf(hash: string): URLSearchParams {
  const mark = hash.indexOf("?");
  return new URLSearchParams(mark === -1 ? "" : hash.slice(mark + 1));
}

/** Returns the address of a screen: `href("chat", agentId)` is `#/chat/…`. */
export const href = (...segments: readonly string[]): string =>
  `#/${segments.map((segment) => encodeURIComponent(segment)).join("/")}`;

/** Shows another screen. The browser's Back button leads back. */
export function navigate(...segments: readonly string[]): void {
  location.hash = href(...segments);
}

/** Shows another screen in place of this one, which Back then skips. */
export function replace(...segments: readonly string[]): void {
  history.replaceState(null, "", href(...segments));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Returns the segments of the current address, and renders again when it changes. */
export function useRoute(): readonly string[] {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    // The address may have changed since the component was rendered.
    changed();
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return segmentsOf(hash);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
