import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How many events of an answer get through before its connection is cut, and whether half of the next one does. */
export interface Cut {
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
  readonly stop: () => Promise<void>;
}

/** Starts a proxy that cuts connections in the middle of event streams, as networks do. */
export async function startCuttingProxy(upstream: string, cutOf: CutOf): Promise<CuttingProxy> {
  let cuts = 0;
  const server = createServer((request, response) => {
    const cut = cutOf({ method: request.method ?? "", path: request.url ?? "" });
    const forwarded = send(
      `${upstream}${request.url ?? ""}`,
      { method: request.method, headers: request.headers },
      (answer) => {
        if (cut === undefined) pass(answer, response);
        else passUntil(answer, response, cut, () => (cuts += 1));
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

/** Passes whole events until the connection is to be cut. An answer that ends before is passed as it is. */
function passUntil(answer: IncomingMessage, response: ServerResponse, cut: Cut, onCut: () => void): void {
  let left = cut.after;
  let rest = "";
  let isCut = false;
  const destroy = (): void => {
    onCut();
    response.destroy();
    answer.destroy();
  };
  if (left > 0) response.writeHead(answer.statusCode ?? 502, answer.headers);

  answer.setEncoding("utf8");
  answer.on("data", (chunk: string) => {
    if (isCut) return;
    const blocks = (rest + chunk).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      if (left === 0) {
        isCut = true;
        // The half is shorter than the event, and so never a whole one.
        if (cut.half && cut.after > 0) response.write(block.slice(0, block.length / 2), destroy);
        else destroy();
        return;
      }
      if (block.startsWith("data:")) left -= 1;
      response.write(`${block}\n\n`);
    }
  });
  answer.on("error", () => response.destroy());
  answer.on("end", () => {
    if (!isCut) response.end(rest);
  });
}
