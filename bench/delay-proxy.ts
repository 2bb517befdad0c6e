import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A database that takes as long as one in the same region does: passes requests on and answers no sooner than that. */
export async function startDelayProxy(upstream: string, delayMs: number) {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const {
        authorization = "",
        "content-type": type = "",
        "x-amz-date": date,
        "x-amz-target": target,
      } = request.headers;
      const [answer] = await Promise.all([
        fetch(upstream, {
          method: "POST",
          headers: {
            authorization,
            "content-type": type,
            "x-amz-date": String(date),
            "x-amz-target": String(target),
          },
          body: Buffer.concat(chunks),
        }),
        sleep(delayMs),
      ]);
      response.writeHead(answer.status, { "content-type": "application/x-amz-json-1.0" });
      response.end(Buffer.from(await answer.arrayBuffer()));
    })().catch(() => response.destroy());
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, stop };
}
