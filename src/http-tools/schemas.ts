import * as z from "zod";
import { withoutUndefined } from "../shared/without-undefined.ts";
import { blankAsAbsent, wholeNumber, withoutProto } from "../http/schemas.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import {
  type BodyTemplate,
  isReservedToolName,
  MAX_DEFINITION_CHARS,
  MAX_SECRETS,
  METHODS,
  TIMEOUT,
  TOO_LONG,
} from "./model.ts";
import { parameterProblems } from "./parameters.ts";
import { MIN_SECRET_CHARS } from "./redaction.ts";
import { partsOfUrl } from "./request.ts";

const MAX_SECRET_CHARS = 4_096;
/** How deep the JSON of a body may nest. */
const MAX_BODY_DEPTH = 10;

/** Headers that belong to the connection, or that servers take from proxies they trust. */
const FORBIDDEN_HEADERS =
  /^(?:host|connection|content-length|transfer-encoding|te|trailer|upgrade|keep-alive|expect|proxy-.*|cf-.*|x-forwarded-.*|x-real-ip|forwarded|via)$/iu;

const Name = z
  .string()
  .regex(/^[A-Za-z]\w{0,63}$/u, {
    error: rule("must consist of at most 64 letters, digits and underscores, and begin with a letter."),
  })
  .refine((name) => !isReservedToolName(name), {
    error: rule("begins like the service's own tools. Choose another name."),
  });

const Description = z.string().trim().min(1).max(1_000);

const Parameters = withoutProto(z.record(z.string(), z.unknown())).superRefine((schema, context) => {
  for (const { path, message } of parameterProblems(schema))
    context.addIssue({ code: "custom", path: [...path], message });
});

const Url = z
  .string()
  .max(2_000)
  .refine((url) => URL.canParse(partsOfUrl(url).origin) && !partsOfUrl(url).origin.includes("{"), {
    error: rule("must begin with https:// and a host, which can't be a placeholder."),
  })
  .refine((url) => !url.includes("#"), { error: rule("must not have a fragment (#).") })
  .refine((url) => isOneLine(url) && !/[\s\\]/u.test(url.replaceAll(/\{\{[^{}]{0,80}\}\}/gu, "")), {
    error: rule("must not contain spaces or backslashes. Percent-encode them."),
  });

const HeaderName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/u, { error: rule("is not the name of a header.") })
  .refine((name) => !FORBIDDEN_HEADERS.test(name), {
    error: rule("is set by the service and can't be changed."),
  });

const HeaderValue = z
  .string()
  .max(2_000)
  .refine((text) => /^[\t\u0020-\u007e]*$/u.test(text), {
    error: rule("must consist of ASCII characters on one line."),
  });

const Headers = withoutProto(z.record(HeaderName, HeaderValue))
  .refine((headers) => Object.keys(headers).length <= 30, { error: rule("must have at most 30 headers.") })
  .refine(
    (headers) =>
      new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length,
    {
      error: rule("must not name a header twice."),
    },
  );

const Body = z
  .strictObject({
    json: z.unknown().optional(),
    form: withoutProto(z.record(z.string().min(1).max(100), z.string().max(4_000))).optional(),
    text: z.string().max(8_000).optional(),
  })
  .refine((body) => Object.keys(body).length === 1, { error: rule("must have one of json, form and text.") })
  .refine(({ json }) => depthOf(json) <= MAX_BODY_DEPTH, {
    error: rule(`must be nested at most ${MAX_BODY_DEPTH} levels deep.`),
    path: ["json"],
  })
  // The check above has made sure that there is exactly one.
  .transform((body) => body as BodyTemplate);

const SecretName = z
  .string()
  .regex(/^[A-Za-z_]\w{0,63}$/u, { error: rule("must consist of letters, digits and underscores.") });

/** What clients send as a secret never comes back, not even in an error. */
const SecretValue = z
  .string()
  .min(MIN_SECRET_CHARS)
  .max(MAX_SECRET_CHARS)
  .refine(isOneLine, { error: rule("must be one line of text.") });

const secretsOf = <S extends z.ZodType>(value: S) =>
  withoutProto(z.record(SecretName, value)).refine((secrets) => Object.keys(secrets).length <= MAX_SECRETS, {
    error: rule(`must have at most ${MAX_SECRETS} secrets.`),
  });

const Timeout = wholeNumber(1, TIMEOUT.most);

const isShort = (definition: object): boolean =>
  JSON.stringify({ ...definition, secrets: undefined }).length <= MAX_DEFINITION_CHARS;

/** The body that adds a tool. */
export const NewHttpTool = z
  .strictObject({
    name: Name,
    description: Description,
    parameters: Parameters.prefault({ type: "object", properties: {} }),
    method: z.enum(METHODS),
    url: Url,
    headers: Headers.prefault({}),
    body: Body.nullable().default(null),
    secrets: secretsOf(SecretValue).prefault({}),
    timeout_seconds: blankAsAbsent(Timeout.default(TIMEOUT.initial)),
    enabled: z.boolean().default(true),
  })
  .refine(isShort, { error: TOO_LONG })
  .meta({ id: "NewHttpTool" });

/** The body that changes a tool. */
export const HttpToolChanges = z
  .strictObject({
    name: Name.optional(),
    description: Description.optional(),
    parameters: Parameters.optional(),
    method: z.enum(METHODS).optional(),
    url: Url.optional(),
    headers: Headers.optional(),
    body: Body.nullable().optional(),
    secrets: secretsOf(SecretValue.nullable()).optional(),
    timeout_seconds: blankAsAbsent(Timeout.optional()),
    enabled: z.boolean().optional(),
  })
  .refine(isShort, { error: TOO_LONG })
  .meta({ id: "HttpToolChanges" });

export const TrialInput = z
  .strictObject({ arguments: withoutProto(z.record(z.string(), z.unknown())).prefault({}) })
  .meta({ id: "HttpToolTrialInput" });

/** Returns how deep a JSON value nests. Anti-DoS: stops one level beyond what is allowed, so it never recurses deeply. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== "object" || value === null || depth > MAX_BODY_DEPTH) return depth;
  return Math.max(
    depth + 1,
    ...Object.values(value)
      .slice(0, MAX_DEFINITION_CHARS)
      .map((member) => depthOf(member, depth + 1)),
  );
}

/** Returns a new tool as the service takes it. */
export function newToolIn(sent: z.infer<typeof NewHttpTool>) {
  const { timeout_seconds: timeoutSeconds, method, url, headers, body, ...settings } = sent;
  return { ...settings, timeoutSeconds, request: { method, url, headers, body } };
}

/** Returns the changes of a tool as the service takes them. Absent members stay absent. */
export function changesIn(sent: z.infer<typeof HttpToolChanges>) {
  const { timeout_seconds: timeoutSeconds, method, url, headers, body, ...settings } = sent;
  const request = withoutUndefined({ method, url, headers, body });
  return { ...withoutUndefined({ ...settings, timeoutSeconds }), request };
}
