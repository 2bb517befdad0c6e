import { TOOLS } from "../../src/architectures/krishna-memgpt/krishna-memgpt.ts";
import { krishnaMemgpt } from "../../src/architectures/krishna-memgpt/krishna-memgpt.ts";
import { krishnaMini } from "../../src/architectures/krishna-mini.ts";
import { toConversation } from "../../src/architectures/history.ts";
import { isPublicKey } from "../../src/publishable-keys/model.ts";
import { looksSealed } from "../../src/auth/sealed-tokens.ts";
import { deviceFrom } from "../../src/auth/device.ts";
import { profileFrom } from "../../src/auth/profile.ts";
import { readRefreshToken } from "../../src/auth/refresh-token.ts";
import { isEndUserId } from "../../src/access/access-scope.ts";
import { ifMatch, strongTag } from "../../src/http/etag.ts";
import { hashOf, idempotencyKey } from "../../src/idempotency/key.ts";
import { decimal, Id, NormalizedOrigins, Origins, removable, wholeNumber } from "../../src/http/schemas.ts";
import { isGuardable, isSameName } from "../../src/agents/name.ts";
import { ToolApprovals } from "../../src/agents/tool-approvals.ts";
import { isKnown } from "../../src/http/etag.ts";
import { describeUnknown } from "../../src/shared/unknown-names.ts";
import { toAnthropicBody } from "../../src/llm/anthropic-body.ts";
import { toBedrockBody } from "../../src/llm/bedrock-body.ts";
import { textOf } from "../../src/llm/bytes.ts";
import { amend, isAboutCaller } from "../../src/llm/amendments.ts";
import { failureError } from "../../src/llm/failures.ts";
import { contextTokensOf, isOnlyInResponses } from "../../src/llm/model-facts.ts";
import { openAiFailure } from "../../src/llm/openai-errors.ts";
import { portableSchema } from "../../src/llm/tool-schemas.ts";
import { resultsAfter, toCall, toDialogue } from "../../src/llm/dialogue.ts";
import { contextOverflow } from "../../src/llm/context-overflow.ts";
import { beginningWithin, endWithin, estimateTokens } from "../../src/llm/token-estimate.ts";
import { hasFewValues, objectFrom, valueFrom } from "../../src/shared/json.ts";
import { toOpenAiBody } from "../../src/llm/openai-body.ts";
import { toResponsesBody } from "../../src/llm/responses-body.ts";
import { isRefusal } from "../../src/llm/refusal.ts";
import { ToolCalls } from "../../src/llm/tool-calls.ts";
import { dayOf } from "../../src/memory/archival-model.ts";
import { charsIn, memoriesOf, summaryLines, withoutOldest } from "../../src/memory/compaction.ts";
import { summarizeBlock } from "../../src/memory/compaction-summary.ts";
import { asLines, isSameLines, isTooMuch } from "../../src/memory/lines.ts";
import { normalContent } from "../../src/memory/archival-model.ts";
import { timeZoneOf } from "../../src/shared/time-zone.ts";
import { pageOfRows, partsOf } from "../../src/tools/native/pages.ts";
import { dated, evidenceOf, criteriaFromInput } from "../../src/tools/native/search-input.ts";
import { normalizeBlockName } from "../../src/memory/model.ts";
import { Attachments } from "../../src/messages/attachments.ts";
import { readInlineFile } from "../../src/messages/inline-files.ts";
import { ChatRequest } from "../../src/ai-sdk/chat-request.ts";
import { CompletionRequest } from "../../src/openai-api/completion-request.ts";
import { NewResponse } from "../../src/openai-api/response-request.ts";
import { responseRefIn } from "../../src/wires/response-id.ts";
import { titleOf } from "../../src/conversations/thread-service.ts";
import {
  readableWithin,
  readableText,
  shortened,
  messageTokens,
  tokensOfCall,
} from "../../src/messages/reading.ts";
import {
  summaryFromModel,
  summaryRequest,
  summaryWithoutModel,
  transcriptLine,
} from "../../src/messages/summary-text.ts";
import { HTTP_TOOL_READERS } from "./linear-http-tool-readers.ts";
import { MCP_SERVER_READERS } from "./linear-mcp-server-readers.ts";
import { OAUTH_READERS } from "./linear-oauth-readers.ts";
import { PLAYGROUND_READERS, PLAYGROUND_TEXTS } from "./linear-playground-readers.ts";
import { KNOWLEDGE_READERS, KNOWLEDGE_TEXTS } from "./linear-knowledge-readers.ts";
import { READING_READERS } from "./linear-reading.ts";
import { CRAWL_READERS } from "./linear-crawl-readers.ts";
import { SEARCH_READERS } from "./linear-search-readers.ts";
import { positionOf } from "../../src/search/page-position.ts";
import { retryAfterOf } from "../../src/webhooks/retries.ts";
import { fromBase64Url, toBase64Url, utf8 } from "../../src/shared/crypto.ts";
import { accountOf } from "../../src/shared/email.ts";
import { neutralizeTokens, neutralizeArguments, fence } from "../../src/shared/fence.ts";
import { isOurs, isPlausibleId, isTimeOrdered } from "../../src/shared/ids.ts";
import { isGlobalAddress } from "../../src/shared/ip-ranges.ts";
import { hasPublicAddress, outOfBounds } from "../../src/shared/outbound.ts";
import {
  countWords,
  isOneLine,
  asSentence,
  linesOf,
  cutToBytes,
  findIllFormed,
  inBrackets,
  inParentheses,
  normalized,
  onOneLine,
  preview,
  sliceWhole,
  utf8Length,
  withoutTrailing,
} from "../../src/shared/text.ts";
import { citationsIn } from "../../src/knowledge/citation-model.ts";
import { field, indented } from "../../src/tools/native/knowledge-context.ts";
import { argumentsOf } from "../../src/tools/tool.ts";
import { toolbox } from "../../src/tools/toolbox.ts";
import { messageOf } from "../messages/conversation.ts";
import type { HardText, Reads } from "./linear.ts";
import {
  POLICY,
  cursors,
  tokens,
  messageWith,
  blockWith,
  contentWith,
  promptInput,
  modelThatWrites,
  piecesOf,
  bodyOf,
  reachOf,
  calling,
  assistantSaying,
  dialogueOf,
  requestOf,
  rebase,
} from "./linear-inputs.ts";
import { CLIENT_READERS, CLIENT_TEXTS } from "./linear-client-readers.ts";
import { STREAM_READERS, STREAM_TEXTS } from "./linear-streams.ts";

const NO_AMENDMENTS = { source: "api.test/m", amendments: new Map<never, never>() };

const responsesData = (text: string) => ({
  source: NO_AMENDMENTS.source,
  data: {
    phase: text,
    output: piecesOf(text).map((piece) => ({ type: "reasoning", id: piece, encrypted_content: piece })),
  },
});

/**
 * Parsers and functions over text from outside, by file and name. A new one is added here, or to the list of its folder; see
 * `MORE_READERS`.
 */
export const READERS: Readonly<Record<string, Reads>> = {
  "shared/fence: fence": fence,
  "shared/fence: neutralizeTokens": neutralizeTokens,
  "shared/fence: neutralizeArguments": (text) => [
    neutralizeArguments(text),
    neutralizeArguments(JSON.stringify({ [text]: [text, `<|im_start|>${text}`] })),
  ],
  "knowledge/citation-model: citationsIn": (text) => citationsIn(text, []),
  "tools/native/knowledge-context: indented": indented,
  "tools/native/knowledge-context: field": field,
  "shared/text: countWords": countWords,
  "shared/text: isOneLine": isOneLine,
  "shared/text: asSentence": asSentence,
  "shared/text: linesOf": linesOf,
  "shared/text: utf8Length": utf8Length,
  "shared/text: cutToBytes": (text) => cutToBytes(text, 5_000),
  "shared/text: preview": (text) => preview(text, 200),
  "shared/text: onOneLine": onOneLine,
  "shared/text: inParentheses": inParentheses,
  "shared/text: inBrackets": inBrackets,
  "shared/text: sliceWhole": (text) => sliceWhole(text, 1, text.length - 1),
  "shared/text: normalized": (text) => [normalized(text, "NFC"), normalized(text, "NFKD")],
  "shared/text: withoutTrailing": (text) => [withoutTrailing(text, "/"), withoutTrailing(text, ".")],
  "shared/text: findIllFormed": (text) => [
    findIllFormed({ [text]: [text, ...piecesOf(text), "\ud83d"] }),
    findIllFormed(piecesOf(text).reduce<unknown>((inner, piece) => [inner, piece], "\ud83d")),
  ],
  "shared/email: accountOf": accountOf,
  "shared/ids: isOurs": isOurs,
  "shared/ids: isTimeOrdered": isTimeOrdered,
  "shared/ids: isPlausibleId": isPlausibleId,
  "shared/crypto: fromBase64Url": fromBase64Url,
  "shared/crypto: toBase64Url": (text) => toBase64Url(utf8(text)),
  "shared/ip-ranges: isGlobalAddress": isGlobalAddress,
  "shared/outbound: outOfBounds": (text) => [
    outOfBounds(text, POLICY),
    outOfBounds(`https://${text}`, POLICY),
    outOfBounds(`https://example.com/${text}`, POLICY),
  ],
  "shared/outbound: hasPublicAddress": (text) => hasPublicAddress(text, () => Promise.resolve([text])),

  "memory/lines: asLines": (text) => [asLines([text]), asLines(piecesOf(text)), asLines(text.split("\n"))],
  "memory/lines: isSameLines": (text) => isSameLines(Array.from(text), Array.from(`${text}x`)),
  "memory/lines: isTooMuch": (text) => isTooMuch([text, ...piecesOf(text)]),
  "memory/model: normalizeBlockName": normalizeBlockName,
  "memory/archival-model: dayOf": (text) => dayOf({ occurredAt: text, createdAt: text }),
  "memory/compaction: summaryLines": (text) => summaryLines(text, [text, text], 1_000_000),
  "memory/compaction: memoriesOf": (text) => [
    memoriesOf([text]),
    memoriesOf(text.split("\n")),
    memoriesOf(Array.from(text)),
  ],
  "memory/compaction: charsIn": (text) => charsIn(Array.from(text)),
  "memory/compaction: withoutOldest": (text) => withoutOldest(piecesOf(text), 1),
  "memory/compaction-summary: summarizeBlock": (text) =>
    summarizeBlock(
      { ...blockWith(text), content: contentWith(text) },
      { model: modelThatWrites(text), promptTokens: 1_000_000 },
    ),
  "memory/core-memory: an edit over others' lines": rebase,

  "messages/attachments: Attachments": (text) =>
    Attachments.safeParse([
      { filename: text, content: text, size: text },
      { filename: `${text}.txt`, content: text },
    ]),
  "messages/inline-files: readInlineFile": (text) => [
    readInlineFile({ data: text, filename: text, mediaType: text }),
    readInlineFile({ data: `data:${text}` }),
    readInlineFile({ data: `data:text/plain;${text},x` }),
    readInlineFile({ data: `data:text/plain,${text}` }),
    readInlineFile({ data: `data:text/plain;base64,${text}` }),
  ],
  "ai-sdk/chat-request: ChatRequest": (text) => {
    const parts = [{ type: "text", text }, { type: "file", url: `data:,${text}` }, { type: text }];
    const results = piecesOf(text).map((output) => ({
      type: "tool-a",
      toolCallId: "c",
      state: "output-available",
      output,
    }));
    const id = text.slice(0, 255);
    return [
      ChatRequest.safeParse({ id, messages: [{ id: "m", role: "user", parts }] }),
      ChatRequest.safeParse({
        id,
        tools: { [text]: {}, a: { description: text, parameters: { text } } },
        messages: [{ id: "m", role: "assistant", parts: [...results, { ...results[0], output: [text] }] }],
      }),
    ];
  },
  "agents/tool-approvals: ToolApprovals": (text) => [
    ToolApprovals.safeParse(text),
    ToolApprovals.safeParse({ [text]: "always" }),
  ],
  "openai-api/completion-request: CompletionRequest": (text) =>
    CompletionRequest.safeParse({
      model: text.slice(0, 255),
      tools: [{ type: "function", function: { name: text, description: text, parameters: { text } } }],
      messages: [
        { role: "assistant", tool_calls: [{ id: "c", function: { name: "f", arguments: text } }] },
        ...piecesOf(text).map((content) => ({ role: "tool", tool_call_id: content, content })),
        { role: "system", content: text },
        ...piecesOf(text).map((content) => ({ role: "user", content })),
        { role: "user", content: [{ type: "text", text }] },
      ],
    }),
  "openai-api/response-request: NewResponse": (text) => {
    const items = [
      { role: "developer", content: text },
      ...piecesOf(text).map((content, index) => ({ role: index % 2 === 0 ? "assistant" : "user", content })),
      {
        role: "user",
        content: [
          { type: "input_text", text },
          { type: "input_file", file_data: text },
        ],
      },
    ];
    return [
      NewResponse.safeParse({ model: "Ada", input: text, instructions: text, previous_response_id: text }),
      NewResponse.safeParse({ model: "Ada", input: items, metadata: { text } }),
    ];
  },
  "wires/response-id: responseRefIn": (text) => responseRefIn(`resp_${text}`),
  "conversations/thread-service: titleOf": titleOf,
  "messages/reading: readableText": (text) => readableText(messageWith(text)),
  "messages/reading: readableWithin": (text) => readableWithin(messageWith(text), 1_000),
  "tools/native/pages: pageOfRows": (text) => [
    pageOfRows([text], 2, Math.max(20, text.length / 50)),
    pageOfRows(text.split("\n"), 2, Math.max(20, text.length / 50)),
  ],
  "tools/native/pages: partsOf": (text) => [partsOf(text, 10), partsOf(text, Math.max(20, text.length / 50))],
  "tools/native/search-input: criteriaFromInput": (text) => [
    criteriaFromInput({ query: text, queries: [text, ` ${text}`] }),
    criteriaFromInput({ query: "x", after: text, before: text }),
  ],
  "tools/native/search-input: dated": (text) => [dated(text, "2023-05-08"), dated("yesterday", text)],
  "tools/native/search-input: evidenceOf": (text) =>
    evidenceOf({ considered: 1, newestAt: text, matchedTerms: [text], missingTerms: piecesOf(text) }, 0, [
      "a",
      "b",
    ]),
  "memory/archival-model: normalContent": normalContent,
  "shared/time-zone: timeZoneOf": timeZoneOf,
  "search/page-position: positionOf": positionOf,
  "messages/reading: shortened": (text) => [shortened(text, 10), shortened(text, 1_000)],
  "messages/reading: messageTokens": (text) => messageTokens(messageWith(text)),
  "messages/reading: tokensOfCall": (text) =>
    tokensOfCall({ id: "1", name: text, arguments: text, output: text, success: true }),
  "messages/summary-text: transcriptLine": (text) => transcriptLine(messageWith(text)),
  "messages/summary-text: summaryRequest": (text) => summaryRequest(text, [text, ...text.split("\n")]),
  "messages/summary-text: summaryFromModel": summaryFromModel,
  "messages/summary-text: summaryWithoutModel": (text) => {
    // One summary is made of 200 messages at most.
    const parts = text.split("\n").slice(0, 200);
    return summaryWithoutModel(text, [
      messageWith(text),
      ...parts.map((part, index) => messageOf(index, part)),
    ]);
  },

  "webhooks/retries: retryAfterOf": retryAfterOf,

  "agents/architectures/history: toConversation": (text) =>
    toConversation(
      piecesOf(text).map((piece, index) => ({
        message: messageOf(0, piece),
        maxTokens: index % 2 === 0 ? null : 20,
      })),
      text,
    ),
  "agents/architectures: krishna-memgpt": (text) => krishnaMemgpt.assemble(promptInput(text)),
  "agents/architectures: krishna-mini": (text) => krishnaMini.assemble(promptInput(text)),
  "agents/name: isGuardable": isGuardable,
  "http/etag: isKnown": (text) => isKnown(text, '"1"'),
  "shared/unknown-names: describeUnknown": (text) =>
    describeUnknown(piecesOf(text), ["agent_persona", "end_user_id", text.slice(0, 64)]),
  "agents/name: isSameName": (text) => isSameName(text, ` ${text}`),

  "tools/tool: argumentsOf": (text) => argumentsOf({ id: "c", name: "t", arguments: text }),
  "tools/toolbox: an unknown tool": (text) =>
    toolbox(TOOLS, reachOf("x")).invoke({ id: "c", name: text, arguments: text }),
  "tools/native: core_memory_read": calling("core_memory_read", () => ({ block: "human" })),
  "tools/native: core_memory_list_blocks": calling("core_memory_list_blocks", () => ({})),
  "tools/native: core_memory_append": calling("core_memory_append", (content) => ({
    block: "human",
    content,
  })),
  "tools/native: core_memory_append, by a long name": calling("core_memory_append", (text) => ({
    block: text,
    content: text,
  })),
  "tools/native: core_memory_replace": calling("core_memory_replace", (text) => ({
    block: "human",
    line_number: 1,
    new_content: "x",
    expected: text,
  })),
  "tools/native: core_memory_delete": calling("core_memory_delete", (text) => ({
    block: "human",
    line_number: "1",
    expected: text,
  })),
  "tools/native: archival_memory_insert": calling("archival_memory_insert", (content) => ({ content })),
  "tools/native: archival_memory_search": calling("archival_memory_search", (query) => ({ query, page: 1 })),
  "tools/native: archival_memory_read": calling("archival_memory_read", () => ({
    memory_id: crypto.randomUUID(),
  })),
  "tools/native: archival_memory_read, another id": calling("archival_memory_read", (text) => ({
    memory_id: text,
  })),
  "tools/native: recall_conversation": calling("recall_conversation", (query) => ({ query })),
  "tools/native: recall_conversation, without a query": calling("recall_conversation", () => ({})),

  "shared/json: valueFrom": valueFrom,
  "shared/json: objectFrom": objectFrom,
  "shared/json: hasFewValues": (text) => hasFewValues(text.split(""), 2 * text.length),
  "llm/refusal: isRefusal": (text) => isRefusal([text]),
  "llm/token-estimate: estimateTokens": (text) => estimateTokens(text),
  "llm/token-estimate: beginningWithin": (text) => beginningWithin(text, text.length / 20),
  "llm/token-estimate: endWithin": (text) => endWithin(text, text.length / 20),
  "llm/context-overflow: contextOverflow": (text) => contextOverflow(400, text),
  "llm/model-facts: contextTokensOf": (text) => contextTokensOf(text),
  "llm/dialogue: toDialogue": (text) => toDialogue(requestOf(text), NO_AMENDMENTS),
  "llm/dialogue: resultsAfter": (text) => resultsAfter([assistantSaying(text), ...dialogueOf(text)], 0),
  "llm/dialogue: toCall": (text) => toCall({ id: "c", name: text, arguments: text }),
  "llm/openai-body: toOpenAiBody": (text) =>
    toOpenAiBody({
      model: text,
      request: requestOf(text),
      settings: { temperature: 1 },
      dialect: "openai",
      ...NO_AMENDMENTS,
    }),
  "llm/responses-body: toResponsesBody": (text) =>
    toResponsesBody({
      model: text,
      request: {
        messages: [
          ...dialogueOf(text),
          {
            role: "assistant",
            content: text,
            calls: [{ id: text, name: text, arguments: text }],
            providerData: responsesData(text),
          },
        ],
        tools: [],
      },
      settings: { temperature: 1 },
      dialect: "compatible",
      ...NO_AMENDMENTS,
    }),
  "llm/anthropic-body: toAnthropicBody": (text) =>
    toAnthropicBody(text, requestOf(text), { temperature: 1 }, NO_AMENDMENTS),
  "llm/bedrock-body: toBedrockBody": (text) =>
    toBedrockBody(text, requestOf(text), { temperature: 1 }, NO_AMENDMENTS),
  "llm/openai-errors: openAiFailure": (text) => openAiFailure(400, text),
  "llm/failures: failureError": (text) =>
    failureError({ status: 400, codes: [text], message: text }, undefined),
  "llm/amendments: amend": (text) =>
    amend({ status: 400, message: text }, '"temperature" "tools" "max_tokens"', new Map()),
  "llm/amendments: amend, for the API and the reasoning": (text) => [
    amend({ status: 404, message: text }, '"messages" "stream":true encrypted_content', new Map()),
    amend({ status: 400, message: text }, '"stream":true "summary":"auto" encrypted_content', new Map()),
  ],
  "llm/amendments: isAboutCaller": (message) => isAboutCaller({ message }),
  "llm/model-facts: isOnlyInResponses": isOnlyInResponses,
  "llm/tool-schemas: portableSchema": (text) =>
    portableSchema({ type: [text], properties: { [text]: { enum: [text] } } }),
  "llm/tool-calls: ToolCalls": (text) => {
    const calls = new ToolCalls();
    for (const piece of text) calls.add(0, { arguments: piece });
    return calls.areComplete();
  },
  "llm/bytes: textOf": (text) =>
    textOf(new Response(bodyOf(utf8(text), 64)), { ms: 1_000, maxBytes: 1_000_000 }),

  "auth/profile: profileFrom": (text) => [
    profileFrom({ sub: "s", email: "a@example.com", email_verified: true, name: text, picture: text }, false),
    profileFrom({ sub: "s", email: text, email_verified: true }, false),
  ],
  "auth/device: deviceFrom": deviceFrom,
  "auth/tokens: AccessTokens": (text) => tokens.verify(text),
  "auth/sealed-tokens: looksSealed": looksSealed,
  "auth/refresh-token: readRefreshToken": readRefreshToken,
  "end-users/model: isEndUserId": isEndUserId,
  "publishable-keys/model: isPublicKey": isPublicKey,

  "http/etag: ifMatch": (text) => ifMatch(text)('"1"'),
  "http/etag: strongTag": strongTag,
  "http/idempotency-key: idempotencyKey": idempotencyKey,
  "http/idempotency-key: hashOf": (text) => hashOf([text]),
  "http/schemas: Id": (text) => Id.safeParse(text),
  "http/schemas: NormalizedOrigins": (text) => NormalizedOrigins.safeParse([text, `https://${text}/`]),
  "http/schemas: Origins": (text) => Origins.safeParse([text, `https://${text}`]),
  "http/schemas: wholeNumber": (text) => [
    wholeNumber(1, 9).safeParse(text),
    wholeNumber(1, 9).safeParse(` 1${text}`),
  ],
  "http/schemas: decimal": (text) => [decimal(1, 9).safeParse(text), decimal(1, 9).safeParse(` 1.5${text}`)],
  "http/schemas: removable": (text) => removable(Id).safeParse(text),

  "table/cursor: Cursors": (text) => cursors.read("a scope", text),
};

/**
 * The readers of folders that have a list of their own. To measure them takes about as long as to measure `READERS`, so each has a file of
 * tests.
 */
export const MORE_READERS: Readonly<Record<string, Reads>> = {
  ...READING_READERS,
  ...CRAWL_READERS,
  ...SEARCH_READERS,
  ...STREAM_READERS,
  ...CLIENT_READERS,
  ...HTTP_TOOL_READERS,
  ...MCP_SERVER_READERS,
  ...KNOWLEDGE_READERS,
  ...OAUTH_READERS,
  ...PLAYGROUND_READERS,
};

/** Texts that are hard for one of these functions; those of `slowTexts` are for all. */
export const HARD_TEXTS: readonly HardText[] = [
  ...STREAM_TEXTS,
  ...CLIENT_TEXTS,
  ...KNOWLEDGE_TEXTS,
  ...PLAYGROUND_TEXTS,
];
