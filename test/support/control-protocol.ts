/** What tests, which run in workerd, say to the servers beside them, which run in Node. Types only. */

/** What happens to a request instead of, or before, being passed on to the database. */
export type Fault =
  | { readonly kind: "delay"; readonly ms: number }
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
  /** No answer ever comes. */
  | { readonly kind: "stall" }
  /** Half of a batch is done, the rest handed back. */
  | { readonly kind: "half-batch" };

export interface FaultRule {
  /** The file of tests that it belongs to. */
  readonly file?: string;
  /** Requests whose body holds one of these texts; an e-mail or an id keeps a rule to one test. */
  readonly match: readonly string[];
  readonly operation?: string;
  /** So many matching requests pass first. */
  readonly after?: number;
  /** So many are then hit; 1 unless told. */
  readonly times?: number;
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

/** Something that Stripe tells of; `about` is the subscription. */
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
  /** Vectors of another length. */
  | { readonly kind: "length"; readonly length: number }
  /** One vector is missing. */
  | { readonly kind: "too-few" }
  /** A request with this in one of its texts is refused. */
  | { readonly kind: "refuse"; readonly text: string };

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

/** What happens to the next request to Stripe whose method, path and parameters hold `match`. */
export type StripeFault =
  | { readonly kind: "fail"; readonly match: string; readonly status: number }
  /** The request is carried out, and the connection breaks before the answer. */
  | { readonly kind: "lose-answer"; readonly match: string };
declare module "vitest" {
  interface ProvidedContext {
    /** The database, through the proxy that injects faults. */
    dynamodb: string;
    /** The database itself. */
    database: string;
    /** The model server's base URL. */
    model: string;
    /** The payment service's base URL. */
    stripe: string;
    /** An issuer that does what its codes say; behind its URL stands how it behaves. */
    issuer: string;
    /** The issuer that `npm run dev:oidc` starts. */
    openId: string;
    /** The embeddings server's base URL. */
    embeddings: string;
    /** A server on this machine that nothing may reach. */
    trap: string;
    /** The control server's URL. */
    control: string;
  }
}
