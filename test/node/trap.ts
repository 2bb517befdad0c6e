import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A server on this machine that nothing may ever reach. `/hits` returns the number of its requests, `/away` redirects to the
 * trap; everything else is caught.
 */
export async function startTrap() {
  let hits = 0;
  const server = createServer((request, response) => {
    if (request.url === "/hits") return void response.end(String(hits));
    if (request.url?.startsWith("/away"))
      return void response.writeHead(302, { location: `http://${request.headers.host ?? ""}/caught` }).end();
    hits++;
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => void server.close() };
}
