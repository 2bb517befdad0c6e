import { createServer } from "node:net";

/**
 * The ports to choose from. Systems give the ports from 32768 on to outgoing connections, so one of those that is free now
 * may be taken by any connection before the server that is to have it has started.
 */
const FIRST_PORT = 20_000;
const PORTS = 12_000;
const ATTEMPTS = 100;

/** Returns a TCP port of 127.0.0.1 that nobody listens on at the moment. Throws if it finds none. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = FIRST_PORT + Math.floor(Math.random() * PORTS);
    if ((await listenOnce("127.0.0.1", port)) !== undefined) return port;
  }
  throw new Error("This machine has no free TCP port on 127.0.0.1.");
}

/** Returns whether somebody listens on the TCP port of this machine's own addresses, IPv4 or IPv6. */
export async function isPortTaken(port: number): Promise<boolean> {
  for (const host of ["127.0.0.1", "::1"]) {
    if ((await listenOnce(host, port)) === undefined) return true;
  }
  return false;
}

/**
 * Returns the port that a variable names, or the usual one. Throws a sentence if it is not a port, or if it is taken; `command` is
 * what people type to start the service.
 */
export async function choosePort(
  given: Readonly<Record<string, string>>,
  name: string,
  usual: number,
  command: string,
): Promise<number> {
  const text = given[name] ?? String(usual);
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new Error(`${name} has to be 1 to 65535, not "${text}".`);

  if (await isPortTaken(port)) {
    const other = port === 65_535 ? usual : port + 1;
    throw new Error(`Port ${port} is taken. Choose another one: ${name}=${other} ${command}`);
  }
  return port;
}

/** Listens for a moment: the port, or `undefined` if it is taken. A host that this machine lacks is free. */
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
