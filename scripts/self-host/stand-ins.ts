import { WorkerEntrypoint } from "cloudflare:workers";

/** The service, with the handler that the flag `service_binding_extra_handlers` adds to a binding. */
interface ScheduledFetcher extends Fetcher {
  scheduled(event: { readonly cron: string; readonly scheduledTime: Date }): Promise<{ outcome: string }>;
}

interface StandInsEnv {
  readonly SERVICE: ScheduledFetcher;
  /** Reaches addresses of the internet only. */
  readonly PUBLIC_NETWORK: Fetcher;
  /** Reaches every address. */
  readonly PRIVATE_NETWORK: Fetcher;
  /** Origins that may have private addresses, in the form of `URL.origin`. */
  readonly PRIVATE_ORIGINS: readonly string[];
  /** The header in which a reverse proxy passes the client's address on. */
  readonly CLIENT_ADDRESS_HEADER?: string;
}

/** Receives all requests, and tells the service who sent them, as Cloudflare does: in `CF-Connecting-IP`. */
export default class Front extends WorkerEntrypoint<StandInsEnv> {
  override fetch(request: Request): Promise<Response> {
    const headers = new Headers(request.headers);
    // What a client has written there proves nothing.
    headers.delete("cf-connecting-ip");
    const address = clientAddress(request, this.env.CLIENT_ADDRESS_HEADER);
    if (address !== undefined) headers.set("cf-connecting-ip", address);
    return this.env.SERVICE.fetch(new Request(request, { headers }));
  }
}

/** Returns the address that the proxy's header names last, without such a header the address of the connection. */
function clientAddress(request: Request, header: string | undefined): string | undefined {
  if (header !== undefined) return request.headers.get(header)?.split(",").at(-1)?.trim();
  // workerd writes "192.0.2.1:49152" or "[2001:db8::1]:49152".
  const peer = request.cf?.["clientIp"];
  if (typeof peer !== "string") return undefined;
  const end = peer.lastIndexOf(":");
  return (end === -1 ? peer : peer.slice(0, end)).replace(/^\[|\]$/gu, "");
}

/** The way of all requests that the service sends: private addresses are reachable only where the operator has named them. */
export class Outbound extends WorkerEntrypoint<StandInsEnv> {
  override fetch(request: Request): Promise<Response> {
    const isPrivate = this.env.PRIVATE_ORIGINS.includes(new URL(request.url).origin);
    return (isPrivate ? this.env.PRIVATE_NETWORK : this.env.PUBLIC_NETWORK).fetch(request);
  }
}

/** Runs the service's scheduled handler for `POST /?cron=…`, and answers 200, or 500 if the handler failed. */
export class Scheduler extends WorkerEntrypoint<StandInsEnv> {
  override async fetch(request: Request): Promise<Response> {
    const cron = new URL(request.url).searchParams.get("cron") ?? "";
    const { outcome } = await this.env.SERVICE.scheduled({ cron, scheduledTime: new Date() });
    return new Response(outcome, { status: outcome === "ok" ? 200 : 500 });
  }
}

interface BurstProps {
  readonly binding: string;
  readonly limit: number;
  /** In seconds. */
  readonly period: number;
}

/** The window that is being counted, and the calls in it by key, for each rate limit. */
const windows = new Map<string, { readonly number: number; readonly calls: Map<string, number> }>();

/** A rate limit: counts in windows of fixed length, and forgets a window when the next one begins. */
export class BurstLimit extends WorkerEntrypoint<StandInsEnv, BurstProps> {
  limit({ key }: { readonly key: string }): { readonly success: boolean } {
    const { binding, limit, period } = this.ctx.props;
    const number = Math.floor(Date.now() / (period * 1_000));
    let window = windows.get(binding);
    if (window?.number !== number) {
      window = { number, calls: new Map() };
      windows.set(binding, window);
    }
    const calls = (window.calls.get(key) ?? 0) + 1;
    window.calls.set(key, calls);
    return { success: calls <= limit };
  }
}
