import type { Context, MiddlewareHandler, ValidationTargets } from "hono";
import { matchedRoutes } from "hono/route";
import type * as z from "zod";

/** The content of an answer: a zod schema, an event stream, lines of JSON, no body, or any JSON. */
export type Answer = z.ZodType | "event-stream" | "json-lines" | "empty" | "json";

/**
 * The OpenAPI operation of a route. `answers` maps status codes to their content. The texts and examples of the operation are in the
 * `docs.ts` of its feature, so that the bundle does not contain them.
 */
export interface OperationDoc {
  readonly kind: "operation";
  readonly id: string;
  readonly answers: Readonly<Record<number, Answer | readonly Answer[]>>;
}

/** One part of a route's input. */
export interface InputDoc {
  readonly kind: "input";
  readonly target: keyof ValidationTargets;
  readonly schema: z.ZodType;
  /** Whether a request may come without this part. */
  readonly isOptional?: boolean;
  /** Whether a form is sent as `application/x-www-form-urlencoded`. */
  readonly isUrlEncoded?: boolean;
}

/** The size limit of a route's body. */
interface BodyDoc {
  readonly kind: "body";
  readonly maxBytes: number;
}

/** A route that accepts unknown query parameters; see `anyQuery`. */
interface AnyQueryDoc {
  readonly kind: "any-query";
}

/** A route with a burst limit; see `limitBursts`. */
interface BurstDoc {
  readonly kind: "burst";
}

/** Requests of the route wait for their turn; see `queued`. */
interface QueueDoc {
  readonly kind: "queue";
}

/** A route whose answers pages of all origins may read; see `anyOrigin`. */
interface AnyOriginDoc {
  readonly kind: "any-origin";
}

/** A route that serves a page or a file to browsers, and is no operation of the API; see `webPage`. */
interface PageDoc {
  readonly kind: "page";
}

export type RouteDoc =
  | OperationDoc
  | InputDoc
  | BodyDoc
  | BurstDoc
  | QueueDoc
  | AnyQueryDoc
  | AnyOriginDoc
  | PageDoc;

/** The property of a middleware that documents its route. `scripts/openapi.ts` reads it. */
const ROUTE_DOC = Symbol("route-doc");

/** Attaches a description to a middleware and returns that middleware. */
export const documented = <M extends object>(middleware: M, doc: RouteDoc): M =>
  Object.assign(middleware, { [ROUTE_DOC]: doc });

/** Returns a middleware that documents its route, and passes every request on. */
export const documenting = (doc: RouteDoc): MiddlewareHandler =>
  documented<MiddlewareHandler>((_c, next) => next(), doc);

/** Returns the description attached to a handler, or `undefined` if there is none. */
export function docOf(handler: object): RouteDoc | undefined {
  // The cast is safe: only `documented` writes this property.
  return Object.getOwnPropertyDescriptor(handler, ROUTE_DOC)?.value as RouteDoc | undefined;
}

/** Documents a route. At run time it passes every request on; `operationOf` finds it. */
export const operation = (id: string, answers: OperationDoc["answers"]): MiddlewareHandler =>
  documenting({ kind: "operation", id, answers });

/** Marks a route that serves a page or a file to browsers. It takes the place of `operation`: the description leaves it out. */
export const webPage: MiddlewareHandler = documenting({
  kind: "page",
});

/**
 * Lets pages of all origins call a route and read its answers, without credentials. Only for routes whose answers depend on nothing that a
 * browser adds to a request by itself, such as a cookie.
 */
export const anyOrigin: MiddlewareHandler = documenting({
  kind: "any-origin",
});

/** Documents headers that a handler reads itself. */
export const headers = (schema: z.ZodType): MiddlewareHandler =>
  documenting({ kind: "input", target: "header", schema });

/** Documents a `multipart/form-data` body that a handler reads itself. */
export const multipartBody = (schema: z.ZodType): MiddlewareHandler =>
  documenting({ kind: "input", target: "form", schema });

/** Returns the operation of this request's route, or `undefined` if no route matches. A page counts as one. */
export const operationOf = (c: Context): OperationDoc | PageDoc | undefined =>
  operationAmong(matchedRoutes(c))?.doc;

/** Returns the pattern of this request's route, such as `/agents/:agentId`, or `undefined` if no route matches. */
export const routeOf = (c: Context): string | undefined => operationAmong(matchedRoutes(c))?.path;

/** Returns the first of these handlers that documents an operation or a page, with its path. Middleware for all paths has none. */
export function operationAmong(routes: readonly { readonly handler: object; readonly path: string }[]) {
  for (const { handler, path } of routes) {
    const doc = docOf(handler);
    if (doc?.kind === "operation" || doc?.kind === "page") return { doc, path };
  }
  return undefined;
}
