import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What the server does for one model, and what it was asked. */
interface ModelState<Fault, Logged> {
  fault: Fault | null;
  readonly requests: Logged[];
}

interface AnsweringServerOptions<Body, Fault, Logged> {
  /** What the log keeps of a request. */
  readonly logged: (body: Body, request: IncomingMessage) => Logged;
  /** Answers a request, or misbehaves as the fault of its model says. */
  readonly answer: (response: ServerResponse, body: Body, fault: Fault | null) => void;
}

/** Starts a server whose requests are JSON that names a model. It has faults and a log for each model. */
export async function startAnsweringServer<Body extends { readonly model: string }, Fault, Logged>({
  logged,
  answer,
}: AnsweringServerOptions<Body, Fault, Logged>) {
  const models = new Map<string, ModelState<Fault, Logged>>();
  const stateOf = (model: string): ModelState<Fault, Logged> => {
    const state = models.get(model) ?? { fault: null, requests: [] };
    models.set(model, state);
    return state;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      // The client under test sends this shape, or its test fails.
      const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Body;
      const { fault, requests } = stateOf(body.model);
      requests.push(logged(body, request));
      answer(response, body, fault);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // A server that listens on TCP has an address of this shape.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/v1`,
    setFault: (model: string, fault: Fault | null) => void (stateOf(model).fault = fault),
    requests: (model: string) => stateOf(model).requests,
    stop: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
