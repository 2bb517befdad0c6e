import { sleep } from "../../shared/async.ts";
import { DurableClient } from "../../shared/durable-client.ts";
import type { HostGate as HostGateObject } from "./host-gate.ts";
import type { HostGate } from "./polite-fetcher.ts";

interface HostGateClientDeps {
  readonly namespace: DurableObjectNamespace<HostGateObject>;
  readonly region: string;
}

/** Takes turns at hosts, through one Durable Object for each. */
export class HostGateClient implements HostGate {
  readonly #gates: DurableClient<HostGateObject>;

  /** `region` is the AWS region of the table, near which jobs run. */
  constructor({ namespace, region }: HostGateClientDeps) {
    const unavailable = "The crawler can't take its turn at the moment. Please try again.";
    this.#gates = new DurableClient({ namespace, region, unavailable });
  }

  async enter(url: string, requestId: string, spacingMs: number, signal: AbortSignal): Promise<void> {
    for (;;) {
      const waitMs = await this.#gates.call(hostOf(url), (gate) => gate.enter(requestId, spacingMs));
      if (waitMs === 0) return;
      await sleep(waitMs, signal);
    }
  }

  async leave(url: string, requestId: string, pauseMs: number): Promise<void> {
    await this.#gates.call(hostOf(url), (gate) => gate.leave(requestId, pauseMs));
  }
}

const hostOf = (url: string): string => new URL(url).host;
