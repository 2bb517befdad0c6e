import { expect, inject } from "vitest";

const platformFetch = globalThis.fetch;
let isProxied = false;

/**
 * Sends requests to the database through the proxy that injects faults, or directly, from the file that begins now until the next one
 * begins. The proxy costs more than the database, so only files that need it use it: `vitest.config.ts` provides their names.
 */
export function beginFile(): void {
  const { testPath = "" } = expect.getState();
  isProxied = inject("faulty").some((file) => testPath.endsWith(file));
  globalThis.fetch = routedFetch;
}

/** Whether requests to the database pass through the proxy. */
export const hasFaults = (): boolean => isProxied;

/** Durable Objects run in the isolate of the tests, so this is their `fetch`, too. */
const routedFetch: typeof fetch = (input, init) =>
  isProxied && input instanceof Request && input.url.startsWith(inject("database"))
    ? platformFetch(new Request(input.url.replace(inject("database"), inject("dynamodb")), input), init)
    : platformFetch(input, init);
