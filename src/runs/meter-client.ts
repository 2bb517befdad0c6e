import { type Message, messageItem } from "../messages/model.ts";
import { DurableClient } from "../shared/durable-client.ts";
import { notFound } from "../shared/errors.ts";
import { assertFits } from "../table/client.ts";
import type { AccountMeter } from "./account-meter.ts";
import type { RunIds, TurnPlace } from "./model.ts";
import type { Beginning, Exhausted, TurnLimits } from "./turn-beginnings.ts";
import type { TurnEnd } from "./turn-repository.ts";

interface MeterClientDeps {
  readonly namespace: DurableObjectNamespace<AccountMeter>;
  readonly region: string;
}

/** The error message for callers if a meter can't be reached or has too much to do. */
export const METER_UNAVAILABLE = "The account is not available at the moment. Please try again.";

/** Calls the meters of accounts, one Durable Object each. */
export class MeterClient {
  readonly #meters: DurableClient<AccountMeter>;

  /** `region` is the table's AWS region. Meters are placed near it. */
  constructor({ namespace, region }: MeterClientDeps) {
    this.#meters = new DurableClient({ namespace, region, unavailable: METER_UNAVAILABLE });
  }

  /**
   * Stores the user's message, counts it and records the run, atomically. If a limit is exhausted, stores nothing and returns that
   * limit. Throws `not-found` if the conversation has been deleted, `payload-too-large` if the message does not fit into an item,
   * and `unavailable` if it is unknown whether the turn has begun.
   */
  async begin(
    {
      accountEmail,
      endUser = null,
      agentId,
      conversationId,
      clientRequest,
    }: TurnPlace & Pick<Beginning, "clientRequest">,
    runIds: RunIds,
    message: Message,
    limits: TurnLimits,
  ): Promise<Exhausted | undefined> {
    // Checked here, because a message that does not fit would keep its whole batch from beginning.
    assertFits(messageItem(message));
    const place = { accountEmail, endUser, agentId, conversationId };
    const { messages_per_month, end_user_messages_per_month, concurrent_runs } = limits;
    const counted = { messages_per_month, end_user_messages_per_month, concurrent_runs };

    // Not repeated: the turn may have begun although its answer was lost. Recovery finds out.
    const outcome = await this.#meters.call(
      accountEmail,
      (meter) => meter.begin({ place, runIds, message, limits: counted, clientRequest }),
      { isRepeatable: false },
    );
    if (outcome.kind === "gone") throw notFound("Conversation");
    return outcome.kind === "exhausted" ? outcome.exhausted : undefined;
  }

  /**
   * Stores how a turn ended. Idempotent: if recovery has already ended the run, the first end is kept. Throws `not-found` if the
   * conversation has been deleted, `payload-too-large` if the answer does not fit into an item, and `unavailable` if the end could
   * not be stored.
   */
  async end(end: TurnEnd): Promise<void> {
    // As at the beginning: an answer that does not fit would fail all that end with it.
    if (end.message) assertFits(messageItem(end.message));
    await this.#meters.call(end.place.accountEmail, (meter) => meter.end(storable(end)));
  }
}

/** Returns an end without what its place has beyond a `TurnPlace`, such as the message's content. */
function storable(end: TurnEnd): TurnEnd {
  const { accountEmail, endUser = null, agentId, conversationId } = end.place;
  return { ...end, place: { accountEmail, endUser, agentId, conversationId } };
}
