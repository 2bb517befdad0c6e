/** Where the browser keeps the request of an MCP client while its person signs in, which may lead to another site and back. */
const KEY = "connect-request";

/** The page to which MCP clients send their person. */
export const CONNECT_PATH = "/oauth/authorize";

/** Without storage, the request lasts as long as the page. */
let inMemory: string | null = null;

/** Keeps the query of an authorization request. */
export function keepRequest(query: string): void {
  inMemory = query.replace(/^\?/u, "");
  try {
    sessionStorage.setItem(KEY, inMemory);
  } catch {
    // The copy in memory is enough unless the person signs in on another site.
  }
}

/** Returns the query of the authorization request that waits for an answer; null if none does. */
export function waitingRequest(): string | null {
  try {
    return sessionStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

/** Forgets the request: it has been answered. */
export function forgetRequest(): void {
  inMemory = null;
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // There is nothing to remove.
  }
}
