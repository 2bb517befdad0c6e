import { describe, expect, it } from "vitest";
import { HttpToolSender } from "../../src/http-tools/sender.ts";
import { inject } from "vitest";

const request = (url: string) => ({
  method: "GET",
  url,
  headers: { authorization: "Bearer canary" },
  body: null,
});
const patient = { timeoutMs: 30_000 };

/** A sender as in production, at the public addresses that `resolve` names. */
function senderWith(
  answer: () => Response | Promise<Response>,
  addresses: readonly string[] = ["93.184.216.34"],
) {
  const asked: string[] = [];
  const sender = new HttpToolSender({
    fetch: (input) => {
      // The guard passes a request on.
      const { url, signal } = input as Request;
      signal.throwIfAborted();
      asked.push(url);
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason as Error)),
      );
      return Promise.race([answer(), aborted]);
    },
    resolve: () => Promise.resolve(addresses),
    isLocal: false,
    ownHosts: ["api.agents.example.com"],
    allowedOrigins: [],
  });
  return { sender, asked };
}

describe("a request to an address that is not public", () => {
  it.each([
    "http://api.example.com/",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://localhost/",
    "https://metadata.google.internal/",
    "https://db.corp/",
    "https://api.example.com:6379/",
    "https://user:password@api.example.com/",
    "https://api.agents.example.com/agents",
    "ftp://api.example.com/",
  ])("is not sent: %s", async (url) => {
    const { sender, asked } = senderWith(() => Response.json({}));

    expect(await sender.send(request(url), patient)).toMatchObject({ kind: "failure", reason: "address" });
    expect(asked).toEqual([]);
  });

  it.each(["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "fd00::1", "100.64.0.1"])(
    "is not sent if the name resolves to %s",
    async (address) => {
      const { sender, asked } = senderWith(() => Response.json({}), ["93.184.216.34", address]);

      expect(await sender.send(request("https://api.example.com/"), patient)).toMatchObject({
        reason: "address",
      });
      expect(asked).toEqual([]);
    },
  );
});

it("follows no redirect", async () => {
  const location = `${inject("trap")}/caught`;
  const { sender, asked } = senderWith(() => new Response(null, { status: 302, headers: { location } }));

  expect(await sender.send(request("https://api.example.com/"), patient)).toMatchObject({
    kind: "answer",
    status: 302,
  });
  expect(asked).toEqual(["https://api.example.com/"]);
});

it("reads the beginning of a long answer, and ends it", async () => {
  let chunks = 0;
  let isCancelled = false;
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        chunks++;
        controller.enqueue(new Uint8Array(64 * 1024).fill(97));
      },
      cancel() {
        isCancelled = true;
      },
    });
  const { sender } = senderWith(() => new Response(body(), { headers: { "content-type": "text/plain" } }));

  const answer = await sender.send(request("https://api.example.com/"), patient);

  expect(answer).toMatchObject({ kind: "answer", bytes: 256 * 1024, isCut: true });
  expect(chunks).toBeLessThan(10);
  expect(isCancelled).toBe(true);
});

it("says what failed, without anything of the request", async () => {
  const fails = senderWith(() =>
    Promise.reject(new Error("connect to api.example.com with Bearer canary failed")),
  );
  const hangs = senderWith(() => new Promise(() => undefined));

  const failures = [
    await fails.sender.send(request("https://api.example.com/canary"), patient),
    await hangs.sender.send(request("https://api.example.com/canary"), { timeoutMs: 50 }),
  ];

  expect(failures).toEqual([
    { kind: "failure", reason: "unreachable", message: "The server could not be reached." },
    { kind: "failure", reason: "timeout", message: "The server did not answer within 0.05 seconds." },
  ]);
});

it("throws the reason of a signal that is aborted", async () => {
  const { sender } = senderWith(() => new Promise(() => undefined));
  const reason = new Error("The turn has ended.");
  const abort = new AbortController();

  const sent = sender.send(request("https://api.example.com/"), { ...patient, signal: abort.signal });
  abort.abort(reason);

  await expect(sent).rejects.toBe(reason);
});

it.each([
  ["application/json; charset=utf-8", "application/json", true],
  ["application/problem+json", "application/problem+json", true],
  ["text/html", "text/html", true],
  ["image/png", "image/png", false],
  ["application/octet-stream", "application/octet-stream", false],
  ["<script>alert(1)</script>", "", true],
])("reads an answer of type %j as %j", async (type, mediaType, isText) => {
  const { sender } = senderWith(() => new Response("text", { headers: { "content-type": type } }));

  expect(await sender.send(request("https://api.example.com/"), patient)).toMatchObject({
    mediaType,
    text: isText ? "text" : null,
  });
});
