import { AmendmentCache } from "../../../src/llm/amendments.ts";
import {
  type ChatModel,
  MODEL_TIMEOUTS,
  type ModelTimeouts,
  type TokenUsage,
} from "../../../src/llm/model.ts";
import type { ModelSettings, ProviderContext } from "../../../src/llm/provider.ts";
import { findProvider } from "../../../src/llm/providers.ts";

/** What a server sends, in terms that every protocol can express. */
export type Step =
  | { readonly text: string }
  | { readonly thinking: string }
  | { readonly call: { readonly id: string; readonly name: string; readonly arguments: string } }
  | { readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[] }
  | { readonly error: StreamError }
  | { readonly garbage: true }
  | { readonly stop: Stop; readonly usage?: TokenUsage };

export type Stop = "answer" | "calls" | "length" | "content";
type StreamError = "overloaded" | "rate" | "rejected";

/** The refusals that every provider has in its own words. */
export type RefusalKind =
  | "auth"
  | "forbidden"
  | "quota"
  | "rate"
  | "overflow"
  | "content"
  | "unknown model"
  | "rejected"
  | "broken"
  | "overloaded";

/** One provider's protocol, as its server speaks it. */
export interface Protocol {
  readonly name: string;
  /** What tests call it, if the provider has another protocol. */
  readonly label?: string;
  /** Whether the model takes a temperature; by default it does. */
  readonly takesTemperature?: boolean;
  readonly credentials: Readonly<Record<string, string>>;
  readonly model: string;
  readonly contentType: string;
  /** The bytes of an answer. An answer that is whole ends with a `stop`. */
  encode(steps: readonly Step[]): Uint8Array;
  /** An error before the stream; the message quotes `key`. */
  refusal(
    kind: RefusalKind,
    key: string,
  ): { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> };
  /** Returns why the real server would refuse a request, or `undefined`. */
  mistakeIn(request: Request, body: unknown): string | undefined;
}

export const KEY = "sk-canary-1234567890";

export const contextOf = (more: Partial<ProviderContext> = {}): ProviderContext => ({
  fetch: () => Promise.reject(new Error("nothing is to be fetched here")),
  timeouts: MODEL_TIMEOUTS,
  isLocal: false,
  ownHosts: ["api.ours.dev"],
  allowedOrigins: [],
  resolve: () => Promise.resolve(["93.184.215.14"]),
  now: Date.now,
  amendments: new AmendmentCache(),
  ai: undefined,
  demoModelUrl: undefined,
  ...more,
});

export function openWith(
  protocol: Protocol,
  fetch: typeof globalThis.fetch,
  more: {
    readonly timeouts?: ModelTimeouts;
    readonly settings?: ModelSettings;
    readonly model?: string;
  } = {},
): ChatModel {
  const { timeouts = MODEL_TIMEOUTS, settings = {}, model = protocol.model } = more;
  const provider = findProvider(protocol.name, false);
  if (!provider) throw new Error(`There is no provider ${protocol.name}`);
  return provider.open(
    protocol.credentials,
    model,
    settings,
    contextOf({ fetch, timeouts: { ...timeouts, compatibleHeadersMs: timeouts.headersMs } }),
  );
}

/** A body that arrives in these pieces, each in a read of its own. */
export const piecewise = (pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> => {
  const left = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = left.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
  });
};

/** A response that sends these pieces one by one. */
export const streamed = (protocol: Protocol, pieces: readonly Uint8Array[]): Response =>
  new Response(piecewise(pieces), { headers: { "content-type": protocol.contentType } });

export const answering = (protocol: Protocol, steps: readonly Step[]): Response =>
  streamed(protocol, [protocol.encode(steps)]);

export const refusing = (
  protocol: Protocol,
  kind: RefusalKind,
  headers: Record<string, string> = {},
): Response => {
  const refusal = protocol.refusal(kind, KEY);
  return Response.json(refusal.body, { status: refusal.status, headers: { ...refusal.headers, ...headers } });
};

/** A server that refuses what the real one refuses, and otherwise returns the answers in turn. */
export function strictServer(protocol: Protocol, answers: readonly (readonly Step[])[]) {
  const asked: unknown[] = [];
  const mistakes: string[] = [];

  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = await request.clone().json();
    const mistake = protocol.mistakeIn(request, body);
    if (mistake !== undefined) {
      mistakes.push(mistake);
      return Response.json({ error: { message: mistake } }, { status: 400 });
    }
    asked.push(body);
    return answering(protocol, answers[asked.length - 1] ?? [{ text: "?" }, { stop: "answer" }]);
  };

  return { fetch, asked, mistakes };
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The first repetition of a speaker, as the providers that know two of them count. */
export function badOrder(roles: readonly string[]): string | undefined {
  if (roles.length === 0) return "messages: at least one message is required";
  if (roles[0] !== "user") return "messages: first message must use the user role";
  const at = roles.findIndex((role, index) => role === roles[index - 1]);
  return at < 0 ? undefined : `messages: roles must alternate, found two ${roles[at]} in a row`;
}
