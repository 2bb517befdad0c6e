import type { IncomingMessage } from "node:http";

/** Parameters of a form-encoded request, as nested as their names say. */
export type Params = { [name: string]: Param };
type Param = string | Params | Param[];

/** `a[b][0]=c`, as Stripe's libraries encode what they send. */
export function parseForm(text: string): Params {
  const root: Params = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/[[\]]+/u).filter(Boolean);
    let at: Params = root;
    for (const step of path.slice(0, -1)) at = (at[step] ??= {}) as Params;
    at[path.at(-1) ?? ""] = value;
  }
  return asArrays(root) as Params;
}

function asArrays(param: Param): Param {
  if (typeof param === "string" || Array.isArray(param)) return param;
  const entries = Object.entries(param).map(([name, value]) => [name, asArrays(value)] as const);
  const isList = entries.length > 0 && entries.every(([name]) => /^\d+$/u.test(name));
  return isList ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

/** The body of a request, as text. */
export async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
