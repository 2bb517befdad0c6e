/** The protocol between tests, which run in workerd, and the control server, which runs in Node. Types only. */
import type { ReplyStep } from "../../scripts/model-server.ts";

/** A step of a scripted reply. `hold` waits until the test calls `release`: with the same name, if it has one. */
export type ScriptStep = ReplyStep | { readonly hold: true | string };

/** What happens to a request instead of, or before, being passed on to the database. */
export type Fault =
  | { readonly kind: "delay"; readonly ms: number }
  /** The request waits until the faults of the test end, and is passed on then. */
  | { readonly kind: "hold" }
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly body: unknown;
      readonly headers?: Record<string, string>;
    }
  /** The connection breaks before the request arrives. */
  | { readonly kind: "refuse" }
  /** The request is carried out, and the connection breaks before the answer. */
  | { readonly kind: "lose-answer" }
  /** The request is carried out at once, and answered late. */
  | { readonly kind: "delay-answer"; readonly ms: number }
  /** The request is carried out at once, and answered when the faults of the test end. Its `endedAt` is when it was carried out. */
  | { readonly kind: "hold-answer" }
  /** No answer ever comes. */
  | { readonly kind: "stall" }
  /** The request is carried out, and no answer ever comes. The request's `endedAt` is when it was carried out. */
  | { readonly kind: "withhold-answer" }
  /** Half of a batch is processed, the rest returned as unprocessed. */
  | { readonly kind: "half-batch" };

export interface FaultRule {
  /** The file of tests that it belongs to. */
  readonly file?: string;
  /** Requests whose body holds one of these texts; an e-mail or an id keeps a rule to one test. */
  readonly match: readonly string[];
  readonly operation?: string;
  /** How many matching requests pass first. */
  readonly after?: number;
  /** How many of the following requests fail; 1 by default. */
  readonly times?: number;
  /** How likely each of them fails; always by default. The first one always fails, so that no fault is unmet by chance. */
  readonly probability?: number;
  readonly fault: Fault;
}

/** A request that the database got; times in milliseconds since the epoch. */
export interface LoggedRequest {
  readonly operation: string;
  readonly body: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** A message as a model's server gets it. */
interface LoggedChatMessage {
  readonly role: string;
  readonly content?: string | null;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
}

/** A request that a scripted model got. */
export interface LoggedChat {
  readonly at: number;
  readonly body: { readonly messages: readonly LoggedChatMessage[]; readonly tools?: readonly unknown[] };
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a scripted model has seen. */
export interface ScriptLog {
  readonly requests: readonly LoggedChat[];
  /** Requests whose client left before the answer was whole. */
  readonly disconnects: number;
}

/** An event of Stripe; `about` is the subscription. */
export interface StripeEvent {
  readonly about: string;
  readonly event: { readonly id: string; readonly type: string; readonly data: { readonly object: unknown } };
}

/** What goes wrong at the embeddings server. */
export type EmbeddingsFault =
  | { readonly kind: "status"; readonly status: number }
  | { readonly kind: "html" }
  /** No answer ever comes. */
  | { readonly kind: "stall" }
  /** A valid answer after this much white space, compressed or not. */
  | { readonly kind: "padded"; readonly megabytes: number; readonly gzip: boolean }
  /** Vectors of another length. */
  | { readonly kind: "length"; readonly length: number }
  /** One vector is missing. */
  | { readonly kind: "too-few" }
  /** Vectors that depend on the text but not on its meaning. */
  | { readonly kind: "random" }
  /** A request with this in one of its texts is refused. */
  | { readonly kind: "refuse"; readonly text: string };

/** What goes wrong, or is different, at the reranking server. */
export type RerankFault =
  | { readonly kind: "status"; readonly status: number }
  /** This instead of results. */
  | { readonly kind: "body"; readonly body: string }
  /** No answer ever comes. */
  | { readonly kind: "stall" }
  /** White space only. */
  | { readonly kind: "padded"; readonly megabytes: number }
  /** Only so many results. */
  | { readonly kind: "few"; readonly results: number }
  /** The results in the shape of Voyage. */
  | { readonly kind: "voyage" };

/** A model that refuses requests with more tokens than it reads. */
export interface ModelWindow {
  readonly tokens: number;
  /** The message of its refusal, with `LIMIT` and `REQUESTED` as placeholders for the numbers. */
  readonly message: string;
  /** 400 by default. */
  readonly status?: number;
  readonly code?: string;
}

/** The body that scripts a model. */
export interface ScriptBody {
  readonly replies: readonly (readonly ScriptStep[])[];
  readonly window: ModelWindow | undefined;
}

/** A request that the embeddings server got. */
export interface LoggedEmbedding {
  readonly body: {
    readonly model: string;
    readonly input: readonly string[];
    readonly encoding_format: string;
    readonly dimensions?: number;
  };
  readonly authorization: string | null;
}

/** A request that the reranking server got. */
export interface LoggedReranking {
  readonly path: string;
  readonly body: { readonly model: string; readonly query: string; readonly documents: readonly string[] };
  readonly authorization: string | null;
}

/** What happens to the next request to Stripe whose method, path and parameters hold `match`. */
export type StripeFault =
  | {
      readonly kind: "fail";
      readonly match: string;
      readonly status: number;
      /** Stripe's error object; an `api_error` by default. */
      readonly error?: { readonly type: string; readonly message: string; readonly code?: string };
    }
  /** The request is carried out, and the connection breaks before the answer. */
  | { readonly kind: "lose-answer"; readonly match: string };
declare module "vitest" {
  interface ProvidedContext {
    /** The files whose requests to the database pass through the proxy that injects faults. */
    faulty: string[];
    /** The database, through the proxy that injects faults. */
    dynamodb: string;
    /** The database itself. */
    database: string;
    /** The model server's base URL. */
    model: string;
    /** The payment service's base URL. */
    stripe: string;
    /** An issuer that does what its codes state; the path after its URL states how it behaves. */
    issuer: string;
    /** The issuer that `npm run dev:oidc` starts. */
    openId: string;
    /** The embeddings server's base URL. */
    embeddings: string;
    /** The reranking server's base URL. */
    reranking: string;
    /** A server on this machine that nothing may reach. */
    trap: string;
    /** The control server's URL. */
    control: string;
    /** From which property tests draw their cases. */
    propertySeed: number;
  }
}
