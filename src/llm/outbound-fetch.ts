import { AppError } from "../shared/errors.ts";
import { AddressRefused, guardedFetch, LookUpFailed } from "../shared/guarded-fetch.ts";
import { OUT_OF_BOUNDS } from "../shared/outbound.ts";
import { providerError } from "./errors.ts";
import type { ProviderContext } from "./provider.ts";

/**
 * Returns a `fetch` for URLs that users entered; see `guardedFetch`. Local development may reach every address, and every
 * deployment its allowed origins. Throws `provider-unavailable` for a refused address or a failed lookup.
 */
export function outboundFetch(context: ProviderContext): typeof fetch {
  const send = guardedFetch(context);
  return async (input, init) => {
    try {
      return await send(input, init);
    } catch (error) {
      if (error instanceof AddressRefused) throw providerError.outOfBounds(OUT_OF_BOUNDS[error.reason]);
      if (!(error instanceof LookUpFailed)) throw error;
      throw error.cause instanceof AppError ? error.cause : providerError.unavailable(error.cause);
    }
  };
}
