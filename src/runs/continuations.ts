import type { ConversationId, RunId } from "../shared/id-types.ts";
import { type Clock, ttlAfter } from "../shared/clock.ts";
import { notFound } from "../shared/errors.ts";
import { cutToBytes } from "../shared/text.ts";
import { present } from "../table/expressions.ts";
import { maps, text } from "../table/fields.ts";
import type { TableClient } from "../table/client.ts";
import { conversationPartition } from "../table/keys.ts";
import type { Key } from "../table/marshal.ts";
import type { CallDecision } from "./decisions.ts";
import { RUN_LIFETIME_MS, runKey } from "./model.ts";

/** The request that a later part of a run answers. That of the first part is in the run itself. */
export interface ContinuedPart {
  readonly conversationId: ConversationId;
  readonly runId: RunId;
  /** How many client pauses were before; 1 or more. */
  readonly part: number;
  /** See `TurnInput.clientRequest`. */
  readonly clientRequest: string;
  readonly results: readonly CallDecision[];
}

/** A result of a tool of the client, as it is stored. */
export interface StoredResult {
  readonly callId: string;
  readonly output: string;
}

const partKey = (conversationId: ConversationId, runId: RunId, part: number): Key => ({
  pk: conversationPartition(conversationId),
  sk: `RunPart#${runId}#${part}`,
});

/** What is kept of a result, as of the results in messages. */
const MAX_OUTPUT_BYTES = 2_000;
const MAX_ID_BYTES = 200;

/** Stores the requests of later parts of runs. Security: callers must check access to the conversation first. */
export class ContinuationRepository {
  readonly #table: TableClient;
  readonly #clock: Clock;

  constructor({ table, clock }: { readonly table: TableClient; readonly clock: Clock }) {
    this.#table = table;
    this.#clock = clock;
  }

  /** Stores the request of a part, in place of one that has not begun the part. Throws `not-found` if the run does not exist any more. */
  async save({ conversationId, runId, part, clientRequest, results }: ContinuedPart): Promise<void> {
    const isSaved = await this.#table.tryTransact([
      { check: runKey(conversationId, runId), if: present("pk") },
      {
        put: {
          ...partKey(conversationId, runId, part),
          entity_type: "RunPart",
          run_id: runId,
          client_request: clientRequest,
          results: results.flatMap(({ callId, decision }) =>
            decision.kind === "answered"
              ? [
                  {
                    call_id: cutToBytes(callId.toWellFormed(), MAX_ID_BYTES),
                    output: cutToBytes(decision.output.toWellFormed(), MAX_OUTPUT_BYTES),
                  },
                ]
              : [],
          ),
          created_at: this.#clock.timestamp(),
          ttl: ttlAfter(this.#clock.now(), RUN_LIFETIME_MS),
        },
      },
    ]);
    if (!isSaved) throw notFound("Run");
  }

  /** Returns the request of a part, and the results that it has brought; `undefined` if there is no such part. */
  async find(conversationId: ConversationId, runId: RunId, part: number) {
    const item = await this.#table.get(partKey(conversationId, runId, part));
    return (
      item && {
        clientRequest: text(item, "client_request"),
        results: maps(item, "results").map((result): StoredResult => ({
          callId: text(result, "call_id"),
          output: text(result, "output"),
        })),
      }
    );
  }
}
