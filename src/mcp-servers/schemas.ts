import * as z from "zod";
import { isReservedToolName } from "../http-tools/model.ts";
import { MIN_SECRET_CHARS } from "../http-tools/redaction.ts";
import { blankAsAbsent, wholeNumber } from "../http/schemas.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { withoutUndefined } from "../shared/without-undefined.ts";
import { AUTH_KINDS, TIMEOUT } from "./model.ts";

/** Of the 64 characters that providers accept for the name of a tool, most are left for that of the tool itself. */
const Name = z
  .string()
  .regex(/^(?=\w{1,24}$)[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*$/u, {
    error: rule(
      "must consist of at most 24 letters, digits and single underscores, and begin with a letter.",
    ),
  })
  .refine((name) => !isReservedToolName(`${name}__`), {
    error: rule("begins like the service's own tools. Choose another name."),
  });

const Url = z
  .string()
  .max(2_000)
  .refine((url) => isOneLine(url) && URL.canParse(url) && !url.includes("#") && !/[\s\\]/u.test(url), {
    error: rule("must be a complete web address without a fragment (#), spaces and backslashes."),
  });

/** What clients send as a token never comes back, not even in an error. */
const BearerToken = z
  .string()
  .min(MIN_SECRET_CHARS)
  .max(4_000)
  .refine((token) => /^[\u0021-\u007e]*$/u.test(token), {
    error: rule("must consist of ASCII characters without spaces."),
  });

const AllowedTools = z.array(z.string().min(1).max(128)).max(100);

const Timeout = wholeNumber(1, TIMEOUT.most);

/** The body that adds a server. */
export const NewMcpServer = z
  .strictObject({
    name: Name,
    url: Url,
    auth: z.enum(AUTH_KINDS).default("none"),
    bearer_token: BearerToken.optional(),
    allowed_tools: AllowedTools.nullable().default(null),
    timeout_seconds: blankAsAbsent(Timeout.default(TIMEOUT.initial)),
    enabled: z.boolean().default(true),
  })
  .meta({ id: "NewMcpServer" });

/** The body that changes a server. */
export const McpServerChanges = z
  .strictObject({
    name: Name.optional(),
    url: Url.optional(),
    auth: z.enum(AUTH_KINDS).optional(),
    bearer_token: BearerToken.optional(),
    allowed_tools: AllowedTools.nullable().optional(),
    timeout_seconds: blankAsAbsent(Timeout.optional()),
    enabled: z.boolean().optional(),
  })
  .meta({ id: "McpServerChanges" });

/** Returns a new server as the service takes it. */
export function newServerIn(sent: z.infer<typeof NewMcpServer>) {
  const {
    bearer_token: bearerToken,
    allowed_tools: allowedTools,
    timeout_seconds: timeoutSeconds,
    ...rest
  } = sent;
  return { ...rest, bearerToken, allowedTools, timeoutSeconds };
}

/** Returns the changes of a server as the service takes them. Absent members stay absent. */
export function serverChangesIn(sent: z.infer<typeof McpServerChanges>) {
  const {
    bearer_token: bearerToken,
    allowed_tools: allowedTools,
    timeout_seconds: timeoutSeconds,
    ...rest
  } = sent;
  return withoutUndefined({ ...rest, bearerToken, allowedTools, timeoutSeconds });
}
