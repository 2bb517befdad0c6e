import type { Server } from "node:http";

/**
 * Has a server listen on a port of this machine. Returns what stops it, with its open connections. Rejects if the port is in use.
 */
export async function listenOn(server: Server, port: number): Promise<() => Promise<void>> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}
