import type {
  AnsweredPath,
  AnswerOf,
  Arguments,
  EventOf,
  Method,
  OptionsOf,
  RequestSettings,
  StreamedPath,
} from "./operations.ts";
import { type Page, Pages } from "./pages.ts";
import { valuesOf } from "./event-stream.ts";
import type { AnyOptions, Exchange, Transport } from "./transport.ts";

/** The typed requests that all resources are made of. */
export class ApiCalls {
  readonly transport: Transport;

  constructor({ transport }: { readonly transport: Transport }) {
    this.transport = transport;
  }

  /** Sends a request and returns what it is answered with. See `AgentBuilder.request`. */
  async request<M extends Method, P extends AnsweredPath<M>>(
    method: M,
    path: P,
    ...[options]: Arguments<M, P>
  ): Promise<AnswerOf<M, P>> {
    const { data } = await this.transport.exchange(method, path, optionsOf(options));
    // Checked by the service against the description from which the type is made.
    return data as AnswerOf<M, P>;
  }

  /** Like `request`, with the status and the headers of the answer. */
  async exchange<M extends Method, P extends AnsweredPath<M>>(
    method: M,
    path: P,
    ...[options]: Arguments<M, P>
  ): Promise<Exchange<AnswerOf<M, P>>> {
    const exchange = await this.transport.exchange(method, path, optionsOf(options));
    return exchange as Exchange<AnswerOf<M, P>>;
  }

  /** Yields what an operation streams. See `AgentBuilder.events`. */
  async *events<M extends Method, P extends StreamedPath<M>>(
    method: M,
    path: P,
    ...[options]: Arguments<M, P>
  ): AsyncGenerator<EventOf<M, P>, void, void> {
    const stream = await this.transport.open(method, path, optionsOf(options));
    for await (const value of valuesOf(stream)) yield value as EventOf<M, P>;
  }

  /** Returns a list that is read page by page. `query` of the options is repeated for each page. */
  list<P extends ListPath>(path: P, options: ListOptions<P>): Pages<ItemOf<P>> {
    const given = optionsOf(options);
    return new Pages(async (cursor) => {
      const query = { ...given.query, ...(cursor !== undefined && { cursor }) };
      const { data } = await this.transport.exchange("GET", path, { ...given, query });
      return data as Page<ItemOf<P>>;
    });
  }
}

/** The paths of lists. */
type ListPath = {
  [P in AnsweredPath<"GET">]: AnswerOf<"GET", P> extends Page<unknown> ? P : never;
}[AnsweredPath<"GET">];

type ItemOf<P extends ListPath> = AnswerOf<"GET", P> extends Page<infer Item> ? Item : never;

/** The options of a list; its cursor is the list's own affair. */
type ListOptions<P extends ListPath> = OptionsOf<"GET", P>;

/** The members of each operation's options are among these. */
const optionsOf = (options: RequestSettings | undefined): AnyOptions => options ?? {};

/** What a helper takes besides its own arguments: query parameters and the settings of a request. */
export type WithSettings<Query = unknown> = Query & RequestSettings;

/** Separates the settings of a request from its query parameters. */
export function split<Query extends object>(
  options: WithSettings<Query>,
): { query: Omit<Query, keyof RequestSettings> } & RequestSettings {
  const { signal, timeoutMs, idempotencyKey, ...query } = options;
  return { query, signal, timeoutMs, idempotencyKey };
}
