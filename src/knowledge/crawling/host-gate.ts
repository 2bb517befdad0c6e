import { DurableObject } from "cloudflare:workers";
import { type Reply, replying } from "../../shared/durable-reply.ts";
import { PoliteHost } from "./polite-host.ts";

/**
 * The Durable Object through which the crawls of all accounts take turns at one host. Stores nothing: if it is lost, the host gets
 * a few requests too early.
 */
export class HostGate extends DurableObject<Env> {
  readonly #host = new PoliteHost(() => Date.now());

  /** See `PoliteHost.enter`. */
  enter(requestId: string, spacingMs: number): Promise<Reply<number>> {
    return replying(async () => this.#host.enter(requestId, spacingMs));
  }

  /** See `PoliteHost.leave`. */
  leave(requestId: string, pauseMs: number): Promise<Reply<null>> {
    return replying(async () => {
      this.#host.leave(requestId, pauseMs);
      return null;
    });
  }
}
