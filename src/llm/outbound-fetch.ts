import { hasPublicAddress, OUT_OF_BOUNDS, outOfBounds } from "../shared/outbound.ts";
import { AppError } from "../shared/errors.ts";
import { providerError } from "./errors.ts";
import type { ProviderContext } from "./provider.ts";

/**
 * `fetch` for addresses that users entered: what is out of bounds is never asked, and redirects are not followed.
 * In local development everything may be reached.
 */
export function outboundFetch(context: ProviderContext): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const reason = outOfBounds(request.url, context);
    if (reason) throw providerError.outOfBounds(OUT_OF_BOUNDS[reason]);

    if (!context.isLocal) {
      const isPublic = await lookUp(request, context);
      if (!isPublic) throw providerError.outOfBounds(OUT_OF_BOUNDS.address);
    }
    return context.fetch(request, { redirect: "manual" });
  };
}

async function lookUp(request: Request, { resolve }: ProviderContext): Promise<boolean> {
  try {
    return await hasPublicAddress(new URL(request.url).hostname, resolve, request.signal);
  } catch (cause) {
    request.signal.throwIfAborted();
    throw cause instanceof AppError ? cause : providerError.unavailable(cause);
  }
}
