import type { ChatModel } from "../llm/model.ts";
import type { Clock } from "../shared/clock.ts";
import { newId } from "../shared/ids.ts";
import type { ArchivalRepository } from "./archival-repository.ts";
import { isNearlyFull } from "./capacity.ts";
import { type CapacityWarning, TURNS_BEFORE_COMPACTION } from "./capacity-model.ts";
import { type CapacityRepository, noteCompaction } from "./capacity-repository.ts";
import { memoriesOf, targetWords, withoutOldest } from "./compaction.ts";
import { summarise } from "./compaction-summary.ts";
import { type Block, type MemoryOwner, wordsIn } from "./model.ts";
import type { MemoryRepository } from "./repository.ts";

/** Memories stored at once, so that a long block leaves connections to those who wait for an answer. */
const PARALLEL_INSERTS = 2;

export interface CapacityWatchDeps {
  readonly capacity: CapacityRepository;
  readonly memory: MemoryRepository;
  readonly archive: ArchivalRepository;
  readonly clock: Clock;
  /** How long the model may take, in milliseconds, where it is not what it usually is. */
  readonly summaryMs?: number;
}

/** A turn that has been answered. */
export interface WatchedTurn {
  readonly owner: MemoryOwner;
  readonly agentOwner: string;
  readonly runId: string;
  /** The agent's own model. */
  readonly model: ChatModel;
  /** The blocks as the turn left them. */
  readonly blocks: readonly { readonly wordCount: number; readonly wordLimit: number }[];
  /** What the turn read at its beginning and has not told of. */
  readonly warnings: readonly CapacityWarning[];
}

/**
 * Counts the turns that blocks have been nearly full for, and compacts those for which it is too many. Asks for nothing
 * where no block is nearly full, and none was.
 */
export async function watchCapacity(turn: WatchedTurn, deps: CapacityWatchDeps): Promise<void> {
  if (turn.warnings.length === 0 && !turn.blocks.some(isNearlyFull)) return;
  const { owner, agentOwner, runId } = turn;

  // Others may have written since the turn has: what counts is how the blocks stand now.
  const { blocks, warnings } = await deps.capacity.read(owner);
  const full = blocks.filter((block) => isNearlyFull(filled(block)));
  for (const warning of warnings)
    if (!warning.compaction && !full.some(({ name }) => name === warning.block))
      await deps.capacity.reset(owner, warning);

  for (const block of full) {
    const turns = warnings.find((warning) => warning.block === block.name)?.turns ?? 0;
    try {
      const raise = { runId, raisedAt: deps.clock.timestamp() };
      const isRaised = await deps.capacity.raise(owner, agentOwner, block, raise);
      if (isRaised && turns + 1 >= TURNS_BEFORE_COMPACTION) await compactBlock(block, turn, deps);
    } catch (error) {
      // The other blocks are none the worse for it, and the next turn tries again.
      console.warn({ message: "A memory block was not compacted.", runId, error: String(error) });
    }
  }
}

/**
 * Brings a block down to half its limit, with a summary by the agent's model, or without its oldest lines. What leaves
 * the block stands in archival memory before it does. Whoever has changed the block meanwhile wins: it stays as it is,
 * and the next turn decides anew.
 */
async function compactBlock(
  block: Block,
  { owner, agentOwner, runId, model }: Pick<WatchedTurn, "owner" | "agentOwner" | "runId" | "model">,
  deps: CapacityWatchDeps,
): Promise<void> {
  const { lines } = block.content;
  const { lines: summary, usage, missing } = await summarise(block, model, deps.summaryMs);
  const { moved, kept } = summary
    ? { moved: lines, kept: summary }
    : withoutOldest(lines, targetWords(block.wordLimit));
  await archiveAll(memoriesOf(moved));

  const changedAt = deps.clock.timestamp();
  const sizes = { wordsBefore: wordsIn(lines), wordsAfter: wordsIn(kept) };
  const outcome = await deps.memory.saveContent(owner, agentOwner, {
    block,
    lines: kept,
    changedAt,
    author: { by: "compaction", runId },
    along: ({ revision: { version } }) => [
      noteCompaction(owner, { block: block.name, version, ...sizes }, changedAt),
    ],
  });

  const isSaved = "saved" in outcome;
  const result = isSaved ? "A memory block was compacted." : "A memory block changed during its compaction.";
  console.info({ message: result, runId, ...sizes, withoutSummary: missing, usage });

  async function archiveAll(contents: readonly string[]): Promise<void> {
    const pending = contents.values();
    // All workers take from the same iterator; where one fails, the others end with what they have begun.
    let failure: { readonly error: unknown } | undefined;
    const work = async () => {
      for (const content of pending) {
        if (failure) return;
        try {
          await archive(content);
        } catch (error) {
          failure ??= { error };
        }
      }
    };
    await Promise.all(Array.from({ length: PARALLEL_INSERTS }, work));
    if (failure) throw failure.error;
  }

  function archive(content: string) {
    return deps.archive.insert(owner, agentOwner, {
      content,
      occurredAt: null,
      createdAt: deps.clock.timestamp(),
      by: "agent",
      runId,
      spareId: newId(deps.clock.now()),
    });
  }
}

const filled = ({ wordLimit, content }: Block) => ({ wordLimit, wordCount: wordsIn(content.lines) });
