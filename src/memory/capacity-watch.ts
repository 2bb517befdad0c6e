import { mapConcurrent } from "../shared/async.ts";
import type { ChatModel } from "../llm/model.ts";
import type { Clock } from "../shared/clock.ts";
import type { AccountEmail, RunId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import type { ArchivalRepository } from "./archival-repository.ts";
import { isNearlyFull } from "./capacity.ts";
import { type CapacityWarning, TURNS_BEFORE_COMPACTION } from "./capacity-model.ts";
import { type CapacityRepository, noteCompaction } from "./capacity-repository.ts";
import type { RecordChange } from "./change-records.ts";
import { memoriesOf, targetWords, withoutOldest } from "./compaction.ts";
import { summarizeBlock } from "./compaction-summary.ts";
import { type Block, type MemoryOwner, wordsIn } from "./model.ts";
import type { MemoryRepository } from "./repository.ts";
import type { BlockVersionRepository } from "./version-repository.ts";
import { thinVersions } from "./version-thinning.ts";

/** How many memories are stored concurrently. More would take connections from requests that users wait for. */
const PARALLEL_INSERTS = 2;

export interface CapacityWatchDeps {
  readonly capacity: CapacityRepository;
  readonly memory: MemoryRepository;
  readonly archive: ArchivalRepository;
  readonly versions: BlockVersionRepository;
  readonly clock: Clock;
  /** The time limit of the model, in milliseconds. The default is that of `summarizeBlock`. */
  readonly summaryMs?: number;
}

/** A completed turn. */
export interface WatchedTurn {
  readonly owner: MemoryOwner;
  readonly accountEmail: AccountEmail;
  readonly runId: RunId;
  /** The agent's own model. */
  readonly model: ChatModel;
  /** How many tokens a request to the model may have. */
  readonly promptTokens: number;
  /** The blocks at the end of the turn. */
  readonly blocks: readonly { readonly wordCount: number; readonly wordLimit: number }[];
  /** The warnings that the turn read at its beginning and has not reported. */
  readonly warnings: readonly CapacityWarning[];
  /** Records changes for the account's webhooks. */
  readonly record?: RecordChange;
}

/**
 * Counts for how many turns blocks have been nearly full, and compacts those that reach `TURNS_BEFORE_COMPACTION`.
 * Makes no requests if no block is nearly full and there are no warnings.
 */
export async function watchCapacity(turn: WatchedTurn, deps: CapacityWatchDeps): Promise<void> {
  if (turn.warnings.length === 0 && !turn.blocks.some(isNearlyFull)) return;
  const { owner, accountEmail, runId } = turn;

  // Read again, because another turn may have written the blocks since.
  const { blocks, warnings } = await deps.capacity.read(owner);
  const full = blocks.filter((block) => isNearlyFull(filled(block)));
  for (const warning of warnings)
    if (!warning.compaction && !full.some(({ name }) => name === warning.block))
      await deps.capacity.reset(owner, warning);

  for (const block of full) {
    const turns = warnings.find((warning) => warning.block === block.name)?.turns ?? 0;
    try {
      const raise = { runId, raisedAt: deps.clock.timestamp() };
      const isRaised = await deps.capacity.raise(owner, accountEmail, block, raise);
      if (isRaised && turns + 1 >= TURNS_BEFORE_COMPACTION) await compactBlock(block, turn, deps);
    } catch (error) {
      // One failure must not keep the other blocks from being compacted. The next turn tries again.
      console.warn({ message: "Compacting a memory block failed.", runId, error: String(error) });
    }
  }
}

/**
 * Compacts a block to half its limit: replaces its lines with a summary by the agent's model, or, without a summary,
 * drops its oldest lines. Lines are archived before they leave the block, so that none is lost. If the block was
 * changed in the meantime, it is left as it is, and the next turn decides again.
 */
async function compactBlock(
  block: Block,
  {
    owner,
    accountEmail,
    runId,
    model,
    promptTokens,
    record,
  }: Pick<WatchedTurn, "owner" | "accountEmail" | "runId" | "model" | "promptTokens" | "record">,
  deps: CapacityWatchDeps,
): Promise<void> {
  const { lines } = block.content;
  const {
    lines: summary,
    usage,
    missing,
  } = await summarizeBlock(block, { model, promptTokens }, deps.summaryMs);
  const { moved, kept } = summary
    ? { moved: lines, kept: summary }
    : withoutOldest(lines, targetWords(block.wordLimit));
  await archiveAll(memoriesOf(moved));

  const changedAt = deps.clock.timestamp();
  const sizes = { wordsBefore: wordsIn(lines), wordsAfter: wordsIn(kept) };
  const outcome = await deps.memory.saveContent(owner, accountEmail, {
    block,
    lines: kept,
    changedAt,
    author: { by: "compaction", runId },
    ...(record && { record }),
    alongside: ({ revision: { version } }) => [
      noteCompaction(owner, { block: block.name, version, ...sizes }, changedAt),
    ],
  });

  const isSaved = "saved" in outcome;
  const result = isSaved ? "A memory block was compacted." : "A memory block changed during its compaction.";
  console.info({ message: result, runId, ...sizes, withoutSummary: missing, usage });
  const version = isSaved ? (outcome.saved.revision?.version ?? 0) : 0;
  await thinVersions(owner, { block: block.name, version }, deps.versions);

  async function archiveAll(contents: readonly string[]): Promise<void> {
    await mapConcurrent(contents, PARALLEL_INSERTS, archive);
  }

  function archive(content: string) {
    return deps.archive.insert(owner, accountEmail, {
      content,
      occurredAt: null,
      createdAt: deps.clock.timestamp(),
      by: "agent",
      runId,
      spareId: newId(deps.clock.now()),
      ...(record && { record }),
    });
  }
}

const filled = ({ wordLimit, content }: Block) => ({ wordLimit, wordCount: wordsIn(content.lines) });
