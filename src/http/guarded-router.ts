import { METHOD_NAME_ALL, type Result, type Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/** The methods that are looked up among the routes. Method names are case-sensitive (RFC 9110, section 9.1). */
const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * Hono's `TrieRouter` behind a filter for known methods. Hono's default falls back to it, because the faster `RegExpRouter` can't
 * represent `/agents/:agentId` beside `/agents/supported-models`. Anti-DoS: `TrieRouter` looks a method up on a plain object,
 * so `__proto__` would reach `Object.prototype` and break every later answer of the isolate; see
 * `docs/decisions/0012-methods-before-the-router.md`. An unknown method matches only handlers for all methods:
 * the request is answered and logged like one whose known method has no route at this path.
 */
export class GuardedRouter<T> implements Router<T> {
  readonly name = "GuardedRouter";
  readonly #router = new TrieRouter<T>();

  add(method: string, path: string, handler: T): void {
    this.#router.add(method, path, handler);
  }

  match(method: string, path: string): Result<T> {
    return this.#router.match(METHODS.has(method) ? method : METHOD_NAME_ALL, path);
  }
}
