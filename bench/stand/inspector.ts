import { setTimeout as sleep } from "node:timers/promises";
import { field, parseJson } from "../../scripts/json.ts";

/** How long the inspector may take to answer, in milliseconds. A collection of a large heap takes some of it. */
const ANSWER_MS = 30_000;
/** workerd collects when it serves a request, so a Worker that waits for a collection gets one this often. */
const NUDGE_MS = 20;
/** A collection may leave what only a later one finds, such as what native objects have held. */
const COLLECTIONS = 3;

/** A connection to the inspector of a Worker. */
export interface Inspector {
  /**
   * Returns what the isolate holds after its garbage has been collected, in bytes: its JavaScript heap, and the buffers that belong to
   * it. This is what a platform's limit on memory is about.
   */
  readonly heapBytes: () => Promise<number>;
  readonly close: () => void;
}

/** Connects to the inspector of the Worker at `url`. `address` is the inspector's, such as `127.0.0.1:9229`. */
export async function openInspector(url: string, address: string): Promise<Inspector> {
  const response = await fetch(`http://${address}/json`);
  const targets: unknown = await response.json();
  const socket = new WebSocket(String(field(field(targets, "0"), "webSocketDebuggerUrl")));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("The inspector does not answer.")));
  });
  return {
    async heapBytes() {
      for (let times = 0; times < COLLECTIONS; times++) await collect(socket, url);
      const usage = await ask(socket, "Runtime.getHeapUsage");
      return Number(field(usage, "usedSize")) + Number(field(usage, "backingStorageSize"));
    },
    close: () => socket.close(),
  };
}

async function collect(socket: WebSocket, url: string): Promise<void> {
  const collected = ask(socket, "HeapProfiler.collectGarbage");
  for (let isDone = false; !isDone;) {
    const response = await fetch(`${url}/health`);
    await response.arrayBuffer();
    isDone = await Promise.race([collected.then(() => true), sleep(NUDGE_MS, false)]);
  }
}

/** Sends a command, and returns its result. Rejects if there is none in time. */
function ask(socket: WebSocket, method: string): Promise<unknown> {
  const id = Math.floor(Math.random() * 1e9);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${method} is not answered.`)), ANSWER_MS);
    const listen = ({ data }: MessageEvent) => {
      const message = parseJson(String(data));
      if (field(message, "id") !== id) return;
      clearTimeout(timer);
      socket.removeEventListener("message", listen);
      resolve(field(message, "result"));
    };
    socket.addEventListener("message", listen);
    socket.send(JSON.stringify({ id, method }));
  });
}
