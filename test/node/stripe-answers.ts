import { randomBytes } from "node:crypto";
import type { Params } from "./form.ts";

/** The answers of the fake of Stripe. */

// Objects as Stripe writes them, whose members are not typed here.
// oxlint-disable-next-line typescript/no-explicit-any
export type Obj = Record<string, any>;

export class StripeRefusal extends Error {
  readonly status: number;
  readonly body: Obj;

  constructor(status: number, error: Obj) {
    super(String(error["message"]));
    this.status = status;
    this.body = { error };
  }
}

export const missing = (id: string): StripeRefusal =>
  new StripeRefusal(404, {
    type: "invalid_request_error",
    code: "resource_missing",
    message: `No such object: '${id}'`,
  });

/** The object of an id. Throws Stripe's 404 if there is none. */
export function foundIn(objects: ReadonlyMap<string, Obj>, id: string): Obj {
  const found = objects.get(id);
  if (!found) throw missing(id);
  return found;
}

export const invalid = (message: string, param?: string): StripeRefusal =>
  new StripeRefusal(400, { type: "invalid_request_error", message, ...(param !== undefined && { param }) });

export const listOf = (data: readonly Obj[]): Obj => ({ object: "list", data, has_more: false });

/** Parameters, of which Stripe knows these. */
export function only(params: Params, ...names: readonly string[]): Params {
  const unknown = Object.keys(params).find((name) => !names.includes(name));
  if (unknown !== undefined) throw invalid(`Received unknown parameter: ${unknown}`);
  return params;
}

/** Metadata with changes applied; a member that is set to an empty text is removed. */
export const merged = (metadata: Obj, changes: unknown): Obj =>
  Object.fromEntries(Object.entries({ ...metadata, ...Object(changes) }).filter(([, value]) => value !== ""));

export const now = (): number => Math.floor(Date.now() / 1000);

export const randomId = (): string => randomBytes(9).toString("hex");
