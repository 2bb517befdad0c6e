import { sliceWhole } from "../../src/shared/text.ts";
import { beginConversation, signUp, table } from "./app.ts";
import { modelWithWindow } from "./control.ts";
import { plant } from "./planted.ts";
import { say } from "./sse.ts";
import { SAMPLES } from "../llm/token-samples.ts";

/** What a model says that states its window, and what one says that does not. */
export const STATED =
  "This model's maximum context length is LIMIT tokens. However, your messages resulted in REQUESTED tokens.";
export const UNSTATED =
  "Your input exceeds the context window of this model. Please adjust your input and try again.";

const KINDS = {
  chinese: SAMPLES.chinese,
  thai: SAMPLES.thai,
  arabic: SAMPLES.arabic,
  khmer: SAMPLES.khmer,
  japanese: SAMPLES.japanese,
  emoji: SAMPLES.emojiSequences,
  code: SAMPLES.typescript,
  base64: SAMPLES.base64,
} as const;
export type Kind = keyof typeof KINDS;
const CHARS = 100_000;
const long = (kind: Kind): string =>
  sliceWhole(KINDS[kind].repeat(Math.ceil(CHARS / KINDS[kind].length)), 0, CHARS);

const READS_BLOCK = { call: { name: "core_memory_read", arguments: '{"block":"human"}' } };
const RECALLS = { call: { name: "recall_conversation", arguments: "{}" } };

/** A conversation in which everything is far too long: a block, messages, files, and what tools read. */
export async function longConversation(
  kind: Kind,
  tokens: number,
  message: string,
  agent: Record<string, unknown>,
) {
  const client = await signUp();
  const answer = [{ text: "Ok." }];
  const model = await modelWithWindow(
    { tokens, message },
    [READS_BLOCK, RECALLS],
    [READS_BLOCK],
    answer,
    ...Array.from({ length: 20 }, () => answer),
  );
  const { agentId, conversationId, path } = await beginConversation(client, {
    agent_model: model.name,
    ...agent,
  });
  await client("GET", `/agents/${agentId}/memory-blocks`);
  const text = long(kind);
  const lines = Array.from({ length: 11 }, (_, n) => sliceWhole(text, n * 9_000, (n + 1) * 9_000));
  const sk = `CoreMemory#${agentId}:${client.email}:human`;
  await table.put({ pk: `Agent#${agentId}#User#${client.email}`, sk, block_name: "human", lines });
  await plant(client, conversationId, [
    { role: "user", content: "Hi" },
    { role: "assistant", content: text },
    { role: "user", content: text },
    { role: "assistant", content: "Short." },
  ]);

  const attachments = [{ filename: "a.txt", content: sliceWhole(text, 0, 30_000) }];
  return {
    ask: (content: string) => say(client, path, content),
    askLong: () => say(client, path, sliceWhole(text, 0, 50_000), { attachments }),
    /** How often the model was asked in turns. Requests for summaries are not counted. */
    asked: async () =>
      (await model.log()).requests.filter(({ body }) => body.messages[0]?.content?.startsWith("<identity>"))
        .length,
  };
}

const WINDOWS = [4_000, 8_000, 32_000];

/** All kinds of text, each with all windows. */
export const CASES = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
  WINDOWS.map((tokens) => [kind, tokens] as const),
);
