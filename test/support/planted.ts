import { type Client, table } from "./app.ts";

export interface Planted {
  readonly role: string;
  readonly content: string;
  /** Minutes before now. */
  readonly age?: number;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly content: string;
    readonly size: number;
  }[];
}

/** Messages as the legacy Python service stores them, oldest first. */
export async function plant(
  client: Client,
  conversationId: string,
  messages: readonly Planted[],
): Promise<void> {
  await table.batchWrite(
    messages.map(({ role, content, age = 1, attachments }, index) => {
      const id = crypto.randomUUID();
      const at = new Date(Date.now() - age * 60_000 + index).toISOString().replace("Z", "000+00:00");
      const put = {
        pk: `CONVERSATION#${conversationId}`,
        sk: `MESSAGE#${at}#${id}`,
        entity_type: "Message",
        message_id: id,
        conversation_id: conversationId,
        created_by: client.email,
        role,
        content,
        created_at: at,
        ...(attachments && { attachments: attachments.map((file) => ({ ...file })) }),
      };
      return { put };
    }),
  );
}

/** Words with one token each. */
export const words = (count: number, word = "w"): string =>
  Array.from({ length: count }, () => word).join(" ");

/** A conversation of this many messages of 250 words, each of which begins with its number. */
export const talk = (count: number, from = 0): readonly Planted[] =>
  Array.from({ length: count }, (_, index) => ({
    role: (from + index) % 2 ? "assistant" : "user",
    content: `Topic ${from + index}. ${words(248)}`,
  }));
