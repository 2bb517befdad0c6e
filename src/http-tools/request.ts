import { isObject } from "../shared/json.ts";
import { AppError } from "../shared/errors.ts";
import type { BodyTemplate, RequestTemplate } from "./model.ts";
import { fill, partsOf, textOf, valueOf, type Values } from "./template.ts";

/** A request that is ready to be sent. */
export interface FilledRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** The longest URL and body that are sent, in characters. */
const MAX_URL_CHARS = 8_000;
const MAX_BODY_CHARS = 200_000;
/** What an HTTP header may consist of without being read differently by different servers. */
const HEADER_TEXT = /^[\t\u0020-\u007e]*$/u;

const DEFAULT_HEADERS = {
  accept: "application/json, text/*;q=0.9, */*;q=0.5",
  // Some public APIs refuse requests without one.
  "user-agent": "DynamicAgentBuilder (HTTP tool)",
} as const;

/**
 * Fills a request with values, each encoded for its place: percent-encoded in the URL and in forms, as JSON in JSON, and unchanged
 * in headers and plain text. Header injection: refuses line breaks. Path traversal: refuses `.` and `..` as whole segments. Throws
 * `malformed-request` for arguments that cannot be sent, with a sentence for the model.
 */
export function fillRequest(template: RequestTemplate, values: Values): FilledRequest {
  const body = template.body && fillBody(template.body, values);
  if (body && body.text.length > MAX_BODY_CHARS)
    throw unsendable(`The body would have more than ${MAX_BODY_CHARS} characters.`);

  return {
    method: template.method,
    url: fillUrl(template.url, values),
    headers: {
      ...DEFAULT_HEADERS,
      ...(body && { "content-type": body.type }),
      ...fillHeaders(template, values),
    },
    body: body?.text ?? null,
  };
}

/** The parts of a URL's template. The path ends at the first question mark. */
export function partsOfUrl(template: string): {
  readonly origin: string;
  readonly path: string;
  readonly query: string | undefined;
} {
  const [, origin = "", rest = ""] = /^(https?:\/\/[^/?#\\]*)([^]*)/iu.exec(template) ?? [];
  const at = rest.indexOf("?");
  return at < 0
    ? { origin, path: rest, query: undefined }
    : { origin, path: rest.slice(0, at), query: rest.slice(at + 1) };
}

function fillUrl(template: string, values: Values): string {
  const { origin, path, query } = partsOfUrl(template);
  const filled =
    origin +
    path
      .split("/")
      .map((segment) => fillSegment(segment, values))
      .join("/") +
    fillQuery(query, values);
  if (filled.length > MAX_URL_CHARS)
    throw unsendable(`The URL would have more than ${MAX_URL_CHARS} characters.`);

  const url = URL.parse(filled);
  // Security: the values are encoded, so they cannot change the host. This makes sure of it.
  if (!url || url.origin !== URL.parse(origin)?.origin)
    throw unsendable("The URL is not valid with these arguments.");
  return url.href;
}

function fillSegment(segment: string, values: Values): string {
  const places = partsOf(segment).filter((part) => part.kind !== "text");
  const isEmpty = places.some((part) => (textOf(part, values) ?? "") === "");
  const filled = fill(segment, values, encodeURIComponent) ?? "";
  // A URL parser takes `%2e` for a dot.
  const plain = filled.replaceAll(/%2e/giu, ".");
  if (places.length > 0 && (isEmpty || plain === "." || plain === ".."))
    throw unsendable(
      `${places.map(({ name }) => name).join(" and ")} cannot be empty, "." or ".." in the path of the URL.`,
    );
  return filled;
}

/** Leaves out each parameter whose arguments are all absent. */
function fillQuery(query: string | undefined, values: Values): string {
  if (query === undefined) return "";
  const pairs = query.split("&").flatMap((pair) => fill(pair, values, encodeURIComponent) ?? []);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function fillHeaders({ headers }: RequestTemplate, values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, template]): [string, string][] => {
      const value = fill(template, values);
      if (value === undefined) return [];
      if (!HEADER_TEXT.test(value))
        throw unsendable(`The header ${name} can only hold ASCII characters on one line.`);
      return [[name.toLowerCase(), value]];
    }),
  );
}

function fillBody(body: BodyTemplate, values: Values): { readonly type: string; readonly text: string } {
  if ("json" in body)
    return { type: "application/json", text: JSON.stringify(fillJson(body.json, values) ?? null) };
  if ("text" in body) return { type: "text/plain; charset=utf-8", text: fill(body.text, values) ?? "" };

  const pairs = Object.entries(body.form).flatMap(([name, template]): [string, string][] => {
    const value = fill(template, values);
    return value === undefined ? [] : [[name, value]];
  });
  return { type: "application/x-www-form-urlencoded", text: new URLSearchParams(pairs).toString() };
}

/** Fills the texts of a JSON value. Its depth is limited when the tool is stored. `undefined`: an argument that is absent. */
function fillJson(value: unknown, values: Values): unknown {
  if (typeof value === "string") return fillJsonText(value, values);
  if (Array.isArray(value))
    return value.map((element) => fillJson(element, values)).filter((element) => element !== undefined);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
      const filled = fillJson(member, values);
      return filled === undefined ? [] : [[name, filled]];
    }),
  );
}

/** A text that is one placeholder becomes the value itself, whatever its type; every other text stays a text. */
function fillJsonText(text: string, values: Values): unknown {
  const [only, ...others] = partsOf(text);
  if (!only || only.kind === "text" || others.length > 0) return fill(text, values);
  return valueOf(only, values) ?? undefined;
}

const unsendable = (message: string): AppError => new AppError("malformed-request", message);
