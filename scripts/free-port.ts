import { createServer } from "node:net";

/** Gives a TCP port of 127.0.0.1 that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const port = await listenOnce("127.0.0.1", 0);
  if (port === undefined) throw new Error("This machine has no free TCP port on 127.0.0.1.");
  return port;
}

/** Tells whether somebody listens on the TCP port of this machine's own addresses, IPv4 or IPv6. */
export async function isPortTaken(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    if ((await listenOnce(host, port)) === undefined) return true;
  }
  return false;
}

/** Listens for a moment: the port, or undefined when it is taken. A host that this machine lacks is free. */
function listenOnce(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else if (error.code === "EACCES")
        reject(new Error(`Port ${port} needs more rights than this user has.`));
      else resolve(port);
    });
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const opened = typeof address === "object" && address !== null ? address.port : port;
      server.close(() => resolve(opened));
    });
  });
}
