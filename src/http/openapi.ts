import type { Context, MiddlewareHandler, ValidationTargets } from "hono";
import { matchedRoutes } from "hono/route";
import type * as z from "zod";
import type { Scope } from "../auth/caller.ts";

/** A kind of caller: a person who has signed in, an end user of an agent, or a program whose key has a scope. */
export type Who = "user" | "end-user" | Scope;

/** Who may call a route: everybody, or these callers of an active account. */
export type Access = "public" | readonly Who[];

/** What an answer holds: a JSON schema by its zod schema, a stream of events, lines of JSON, or nothing. */
export type Answer = z.ZodType | "event-stream" | "json-lines" | "empty" | "json";

/** What is limited in how fast it may be asked for: by person where it costs much, by address where it is open to everybody. */
export type Burst = "costly" | "public";

/** What a route says about itself. */
export interface OperationDoc {
  readonly kind: "operation";
  readonly id: string;
  readonly summary: string;
  readonly answers: Readonly<Record<number, Answer | readonly Answer[]>>;
  readonly access: Access;
  /**
   * When accounts that are gone are refused: `before` the handler runs, or by the handler `itself`, because it reads the
   * user among other things. By default before it, and beside it for a GET, which saves a wait.
   */
  readonly account: "default" | "before" | "itself";
  /** The longest body, in bytes. */
  readonly bodyLimit: number;
  /** Not there where nothing but its plan limits a caller. */
  readonly burst?: Burst;
}

/** What a route says about one part of its input. */
export interface InputDoc {
  readonly kind: "input";
  readonly target: keyof ValidationTargets;
  readonly schema: z.ZodType;
}

export type RouteDoc = OperationDoc | InputDoc;

/** Where a middleware keeps what it says about its route; the script that writes the API description reads it. */
const ROUTE_DOC = Symbol("route-doc");

/** Attaches a description to a middleware, and gives the same middleware. */
export const documented = <M extends object>(middleware: M, doc: RouteDoc): M =>
  Object.assign(middleware, { [ROUTE_DOC]: doc });

/** What a handler says about its route, if it says anything. */
export function docOf(handler: object): RouteDoc | undefined {
  // Only `documented` writes under this symbol.
  return Object.getOwnPropertyDescriptor(handler, ROUTE_DOC)?.value as RouteDoc | undefined;
}

/** 64 KB are plenty for what is not a message or an upload. */
const DEFAULT_BODY_LIMIT = 64 * 1024;

/** Describes the route that it stands in, and says who may call it. It does nothing at run time but be found by `operationOf`. */
export function operation(
  id: string,
  summary: string,
  answers: OperationDoc["answers"],
  options: Pick<OperationDoc, "access"> & Partial<Pick<OperationDoc, "account" | "bodyLimit" | "burst">>,
): MiddlewareHandler {
  const middleware: MiddlewareHandler = (_c, next) => next();
  const { access, account = "default", bodyLimit = DEFAULT_BODY_LIMIT, burst } = options;
  return documented(middleware, {
    kind: "operation",
    id,
    summary,
    answers,
    access,
    account,
    bodyLimit,
    ...(burst && { burst }),
  });
}

/** Describes headers that a handler reads by itself. */
export const headers = (schema: z.ZodType): MiddlewareHandler =>
  documented<MiddlewareHandler>((_c, next) => next(), { kind: "input", target: "header", schema });

/** What the route of this request says about itself; nothing where no route matches. */
export const operationOf = (c: Context): OperationDoc | undefined => operationAmong(matchedRoutes(c))?.doc;

/** The pattern of this request's route, such as `/agents/:agentId`; nothing where no route matches. */
export const routeOf = (c: Context): string | undefined => operationAmong(matchedRoutes(c))?.path;

/** The one of these routes that is an operation, and not what stands before all of them. */
export function operationAmong(routes: readonly { readonly handler: object; readonly path: string }[]) {
  for (const { handler, path } of routes) {
    const doc = docOf(handler);
    if (doc?.kind === "operation") return { doc, path };
  }
  return undefined;
}
