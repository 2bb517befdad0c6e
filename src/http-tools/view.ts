import * as z from "zod";
import type { Trial } from "./calls.ts";
import type { HttpTool } from "./model.ts";

/** An HTTP tool in answers: secrets by name only. */
export const HttpToolView = z
  .object({
    tool_id: z.string(),
    name: z.string(),
    description: z.string(),
    parameters: z.record(z.string(), z.unknown()),
    method: z.string(),
    url: z.string(),
    headers: z.record(z.string(), z.string()),
    body: z.record(z.string(), z.unknown()).nullable(),
    secrets: z.array(z.string()),
    timeout_seconds: z.number(),
    enabled: z.boolean(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "HttpTool" });

export const HttpToolReference = HttpToolView.pick({
  tool_id: true,
  created_at: true,
  updated_at: true,
}).meta({
  id: "HttpToolReference",
});

/** Returns a tool as answers and exports show it. */
export const toHttpToolView = (tool: HttpTool): z.infer<typeof HttpToolView> => ({
  tool_id: tool.id,
  name: tool.name,
  description: tool.description,
  parameters: { ...tool.parameters },
  method: tool.request.method,
  url: tool.request.url,
  headers: { ...tool.request.headers },
  body: tool.request.body && { ...tool.request.body },
  secrets: [...tool.secretNames],
  timeout_seconds: tool.timeoutSeconds,
  enabled: tool.enabled,
  created_at: tool.createdAt,
  updated_at: tool.updatedAt,
});

export const TrialView = z
  .object({
    request: z
      .object({
        method: z.string(),
        url: z.string(),
        headers: z.record(z.string(), z.string()),
        body: z.string().nullable(),
      })
      .nullable(),
    response: z
      .object({
        status: z.number(),
        media_type: z.string(),
        text: z.string().nullable(),
        bytes: z.number(),
        truncated: z.boolean(),
      })
      .nullable(),
    error: z.string().nullable(),
    duration_ms: z.number(),
  })
  .meta({ id: "HttpToolTrial" });

/** The longest text of an answer that a trial shows, in characters. The model gets it in pages. */
const MAX_TEXT_CHARS = 32_000;

export const toTrialView = ({ request, answer, error, durationMs }: Trial): z.infer<typeof TrialView> => ({
  request: request && { ...request, headers: { ...request.headers } },
  response: answer && {
    status: answer.status,
    media_type: answer.mediaType,
    text: answer.text === null ? null : answer.text.slice(0, MAX_TEXT_CHARS).toWellFormed(),
    bytes: answer.bytes,
    truncated: answer.isCut || (answer.text?.length ?? 0) > MAX_TEXT_CHARS,
  },
  error,
  duration_ms: durationMs,
});
