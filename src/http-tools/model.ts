import { objectFrom, valueFrom } from "../shared/json.ts";
import { count, flag, maps, optionalText, text, texts } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";

/** How many tools an agent may have. Each of them is a part of every prompt. */
export const MAX_TOOLS = 20;
/** How much all tools of an agent may take, in bytes: they are stored with the agent, whose item is limited to 400 KB. */
export const MAX_ALL_BYTES = 128 * 1024;
/** The longest definition of a tool, as JSON without secrets. */
export const MAX_DEFINITION_CHARS = 16_384;
export const TOO_LONG = `A tool can have at most ${MAX_DEFINITION_CHARS / 1024} KB without its secrets.`;
/** How many secrets a tool may have. */
export const MAX_SECRETS = 10;
/** In seconds. */
export const TIMEOUT = { initial: 10, most: 30 } as const;

export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;
type Method = (typeof METHODS)[number];

/** The body of a request, as a template. In `json`, a text that is one placeholder becomes the argument with its type. */
export type BodyTemplate =
  | { readonly json: unknown }
  | { readonly form: Readonly<Record<string, string>> }
  | { readonly text: string };

/** The request of a tool. URL, headers and body may have placeholders; see `template.ts`. */
export interface RequestTemplate {
  readonly method: Method;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Null if the request has no body. */
  readonly body: BodyTemplate | null;
}

/** What the owner of an agent says about a tool. */
export interface HttpToolSettings {
  /** The name by which the model calls it, unique in its agent. */
  readonly name: string;
  readonly description: string;
  /** A JSON Schema of type object, in the subset of `parameters.ts`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly request: RequestTemplate;
  readonly timeoutSeconds: number;
  /** Whether the model is offered the tool. */
  readonly enabled: boolean;
}

/** A tool of an agent that sends an HTTP request. */
export interface HttpTool extends HttpToolSettings {
  readonly id: string;
  /** The names of the secrets that the request may use. */
  readonly secretNames: readonly string[];
  /** The secrets, encrypted; null if there are none. */
  readonly sealedSecrets: string | null;
  readonly createdAt: string;
  readonly updatedAt: string | null;
}

/** The attributes of an agent's item that hold its tools. */
export const TOOLS = "http_tools";
/** Counts the changes of the tools, so that concurrent ones are noticed. */
export const TOOLS_REVISION = "http_tools_revision";

/** Converts a tool to an element of the stored list. JSON of any shape is stored as text. */
export const httpToolItem = (tool: HttpTool): Item => ({
  tool_id: tool.id,
  name: tool.name,
  description: tool.description,
  parameters: JSON.stringify(tool.parameters),
  request: JSON.stringify(tool.request),
  timeout_seconds: tool.timeoutSeconds,
  enabled: tool.enabled,
  secret_names: tool.secretNames,
  sealed_secrets: tool.sealedSecrets,
  created_at: tool.createdAt,
  updated_at: tool.updatedAt,
});

/** Reads the tools of an agent's item, in the order in which they were created. Tools that can't be read are omitted. */
export const httpToolsFrom = (agent: Item): readonly HttpTool[] =>
  maps(agent, TOOLS).flatMap((item) => {
    const request = requestFrom(text(item, "request"));
    const parameters = objectFrom(text(item, "parameters"));
    if (!request || !parameters) return [];
    return [
      {
        id: text(item, "tool_id"),
        name: text(item, "name"),
        description: text(item, "description"),
        parameters,
        request,
        timeoutSeconds: Math.min(count(item, "timeout_seconds", TIMEOUT.initial), TIMEOUT.most),
        enabled: flag(item, "enabled"),
        secretNames: texts(item, "secret_names"),
        sealedSecrets: optionalText(item, "sealed_secrets"),
        createdAt: text(item, "created_at"),
        updatedAt: optionalText(item, "updated_at"),
      },
    ];
  });

/** The cast states what `httpToolItem` has written. */
const requestFrom = (stored: string): RequestTemplate | undefined =>
  valueFrom(stored) as RequestTemplate | undefined;

/** Returns how much the tools of an agent take in its item, in bytes of JSON, which is close to what the table counts. */
export const sizeOfTools = (tools: readonly HttpTool[]): number =>
  new TextEncoder().encode(JSON.stringify(tools.map(httpToolItem))).byteLength;

/** Beginnings of names that the service's own tools have, now or later. */
const RESERVED_PREFIXES = [
  "core_memory_",
  "archival_memory_",
  "recall_",
  "conversation_",
  "knowledge_base_",
  "http_",
  "mcp_",
] as const;

/** Whether a name belongs to the service's own tools, so that no tool of an agent may shadow them. */
export const isReservedToolName = (name: string): boolean =>
  RESERVED_PREFIXES.some((prefix) => name.toLowerCase().startsWith(prefix));
