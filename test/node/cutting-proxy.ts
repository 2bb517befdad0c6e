import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How many events of an answer get through before its connection is cut, and whether half of the next one does. */
interface Cut {
  /** 0 loses the whole answer, although the service has begun it. */
  readonly after: number;
  readonly half?: boolean;
}

/** Decides the fate of the answer to a request; undefined lets it pass. */
export type CutOf = (request: { readonly method: string; readonly path: string }) => Cut | undefined;

export interface CuttingProxy {
  readonly url: string;
  /** How many connections have been cut. */
  readonly cuts: () => number;
  /**
   * Tells that the client has got an event. The connection is cut then: what was received at the moment of a cut may be lost
   * with it, so that nobody would know where it happened.
   */
  readonly received: (event: unknown) => void;
  readonly stop: () => Promise<void>;
}

/** A connection that is cut as soon as the client has got the event with this JSON. */
interface Held {
  readonly last: string;
  readonly cut: () => void;
}

/** Starts a proxy that cuts connections in the middle of event streams, as networks do. */
export async function startCuttingProxy(upstream: string, cutOf: CutOf): Promise<CuttingProxy> {
  let cuts = 0;
  const held = new Set<Held>();
  const server = createServer((request, response) => {
    const cut = cutOf({ method: request.method ?? "", path: request.url ?? "" });
    const forwarded = send(
      `${upstream}${request.url ?? ""}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        if (cut === undefined) return pass(answer, response);
        passUntil(answer, response, cut, { hold: (one) => held.add(one), onCut: () => (cuts += 1) });
      },
    );
    forwarded.on("error", () => response.destroy());
    response.on("close", () => forwarded.destroy());
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    received(event) {
      const text = JSON.stringify(event);
      for (const one of held) {
        if (one.last !== text) continue;
        held.delete(one);
        one.cut();
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  answer.on("error", () => response.destroy());
  answer.pipe(response);
}

/** Passes whole events, then holds the connection until it is to be cut. An answer that ends before is passed as it is. */
function passUntil(
  answer: IncomingMessage,
  response: ServerResponse,
  { after, half = false }: Cut,
  { hold, onCut }: { readonly hold: (held: Held) => void; readonly onCut: () => void },
): void {
  let left = after;
  let rest = "";
  const destroy = (): void => {
    response.destroy();
    answer.destroy();
  };
  const cut = (): void => {
    onCut();
    // Half of the next event, or of what has arrived of it, is never a whole one.
    if (half && rest !== "") response.write(rest.slice(0, rest.indexOf("\n\n") / 2), destroy);
    else destroy();
  };
  if (left > 0) response.writeHead(answer.statusCode ?? 502, answer.headers);

  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    rest += chunk;
    if (after === 0) {
      answer.removeAllListeners("data");
      return cut();
    }
    for (let end = rest.indexOf("\n\n"); end >= 0 && left > 0; end = rest.indexOf("\n\n")) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      response.write(`${block}\n\n`);
      if (!block.startsWith("data: ")) continue;
      left -= 1;
      if (left === 0) hold({ last: block.slice("data: ".length), cut });
    }
  });
  answer.on("error", () => response.destroy());
  answer.on("end", () => {
    if (left > 0) response.end(rest);
  });
}
