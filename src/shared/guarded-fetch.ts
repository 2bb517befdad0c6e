import {
  hasPublicAddress,
  isTrusted,
  type OutOfBounds,
  type OutboundPolicy,
  outOfBounds,
  type ResolveHost,
} from "./outbound.ts";

/** What a guarded `fetch` needs. */
export interface GuardedFetchDeps extends OutboundPolicy {
  readonly fetch: typeof fetch;
  readonly resolve: ResolveHost;
}

/** Thrown for a URL that must not be requested. */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused";
  readonly reason: OutOfBounds;

  constructor(reason: OutOfBounds) {
    super(`The address was refused: ${reason}.`);
    this.reason = reason;
  }
}

/** Thrown if the addresses of a host can't be looked up. */
export class LookUpFailed extends Error {
  override readonly name = "LookUpFailed";

  constructor(cause: unknown) {
    super("The host could not be looked up.", { cause });
  }
}

/**
 * Returns a `fetch` for URLs that users or web pages have chosen. SSRF: it refuses blocked and non-public addresses, and does not
 * follow redirects: whoever follows one has to come back here. Throws `AddressRefused`, and `LookUpFailed` if the host can't be
 * looked up. There is no timeout: pass a signal.
 */
export function guardedFetch(deps: GuardedFetchDeps): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const reason = outOfBounds(request.url, deps);
    if (reason) throw new AddressRefused(reason);

    if (!isTrusted(request.url, deps) && !(await resolvesToPublicAddress(request, deps.resolve)))
      throw new AddressRefused("address");
    return deps.fetch(request, { redirect: "manual" });
  };
}

async function resolvesToPublicAddress(request: Request, resolve: ResolveHost): Promise<boolean> {
  try {
    return await hasPublicAddress(new URL(request.url).hostname, resolve, request.signal);
  } catch (cause) {
    request.signal.throwIfAborted();
    throw new LookUpFailed(cause);
  }
}
