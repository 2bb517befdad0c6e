import { toListing } from "../../src/mcp-servers/listing.ts";
import { namedTools, neverAsked } from "../../src/mcp-servers/model.ts";
import { parameterIn } from "../../src/mcp-servers/challenge.ts";
import { headersOf, parameterHeadersIn } from "../../src/mcp-servers/parameter-headers.ts";
import { resultText } from "../../src/mcp-servers/results.ts";
import { McpServerChanges, serverChangesIn } from "../../src/mcp-servers/schemas.ts";
import type { Reads } from "./linear.ts";
import { piecesOf } from "./linear-inputs.ts";

const toolOf = (text: string) => ({
  name: text,
  description: text,
  inputSchema: {
    type: "object",
    properties: { [text]: { type: text, enum: piecesOf(text) }, a: { $ref: text, description: text } },
    required: piecesOf(text),
  },
});

const asItIs = (text: string): string => text;

/** The readers of what MCP servers say. */
export const MCP_SERVER_READERS: Readonly<Record<string, Reads>> = {
  "mcp-servers/listing: toListing": (text) => [
    toListing([toolOf(text), { ...toolOf(text), name: "a" }], "sessions", null),
    toListing(
      piecesOf(text).map((piece) => ({ ...toolOf(piece), name: piece })),
      "stateless",
      piecesOf(text).slice(0, 100),
    ),
    toListing(
      [{ name: "a", inputSchema: { type: "object", properties: { a: { $ref: `#/${text}` } } } }],
      "sessions",
      null,
    ),
  ],
  "mcp-servers/model: namedTools": (text) =>
    namedTools({
      ...neverAsked,
      id: "",
      name: "s",
      url: "",
      auth: "none",
      allowedTools: null,
      timeoutSeconds: 1,
      enabled: true,
      sealedSecrets: null,
      createdAt: "",
      updatedAt: null,
      listing: {
        protocol: "sessions",
        tools: [{ name: text, description: "", parameters: {} }],
        others: [],
        refused: [],
        listedAt: "",
      },
    }),
  "mcp-servers/results: resultText": (text) => [
    resultText({ content: piecesOf(text).map((piece) => ({ type: "text", text: piece })) }, asItIs),
    resultText(
      { content: [{ type: "image", mimeType: text, data: text }, { type: text }], isError: true },
      asItIs,
    ),
    resultText({ structuredContent: { [text]: text } }, asItIs),
  ],
  "mcp-servers/challenge: parameterIn": (text) => [
    parameterIn(text, "scope"),
    parameterIn(`Bearer scope="${text}`, "scope"),
    parameterIn(`Bearer ${text}, resource_metadata="x"`, "resource_metadata"),
  ],
  "mcp-servers/parameter-headers: parameterHeadersIn": (text) => [
    parameterHeadersIn({ type: "object", properties: { [text]: { type: "string", "x-mcp-header": text } } }),
    parameterHeadersIn({
      type: "object",
      properties: Object.fromEntries(
        piecesOf(text).map((piece) => [piece, { type: "string", "x-mcp-header": "A" }]),
      ),
    }),
  ],
  "mcp-servers/parameter-headers: headersOf": (text) => headersOf([{ name: "A", path: ["a"] }], { a: text }),
  "mcp-servers/schemas: McpServerChanges": (text) => {
    const parsed = McpServerChanges.safeParse({
      name: text,
      url: `https://${text}`,
      bearer_token: text,
      allowed_tools: [text],
    });
    return parsed.success && serverChangesIn(parsed.data);
  },
};
