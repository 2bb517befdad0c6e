import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { ContentChange } from "./block-version-writes.ts";
import { withWarning } from "./capacity.ts";
import { fence } from "../shared/fence.ts";
import { countWords, onOneLine } from "../shared/text.ts";
import { MAX_LINE_CHARS } from "./lines.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  type MemoryOwner,
  normalizeBlockName,
  wordsIn,
} from "./model.ts";
import type { SaveOutcome } from "./repository.ts";

/** How often an edit is attempted if the block changes concurrently. */
const REBASES = 8;

/** The id of no line. */
const GONE = -1;

/** Saves a block on behalf of one author; see `MemoryRepository.saveContent`. */
export type SaveContent = (change: Omit<ContentChange, "author">) => Promise<SaveOutcome>;

/** A refused edit. Its message is written for the model. */
export class EditRefused extends AppError {
  override readonly name = "EditRefused";

  constructor(message: string) {
    super("validation-failed", message);
  }
}

/** A block as tools and prompts see it. */
export interface BlockView extends BlockDefinition {
  readonly lines: readonly string[];
  readonly wordCount: number;
}

/** The result of an edit. `line` is 1-based. `changed` is false if the block already had the desired content. */
export interface Edit {
  readonly block: BlockView;
  readonly line: number;
  readonly changed: boolean;
  /** The line's text before the edit; empty for a new line. */
  readonly old: string;
  /** The line's text after the edit; empty for a removed line. */
  readonly text: string;
}

/** A block that was written, and its new version. */
export interface MemoryUpdate {
  readonly block: string;
  readonly version: number;
}

/** A line. Its id stays while its number changes, so that several edits of one response hit the intended lines. */
interface Line {
  readonly id: number;
  readonly text: string;
  /** Counted once, because it takes long for scripts without spaces. */
  readonly words: number;
}

interface BlockState {
  definition: BlockDefinition;
  content: BlockContent;
  lines: readonly Line[];
  /** Line ids in the order in which the model numbers them. */
  seen: readonly number[];
}

interface CoreMemoryDeps {
  readonly owner: MemoryOwner;
  readonly blocks: readonly Block[];
  readonly save: SaveContent;
  readonly clock: Clock;
}

/**
 * The core memory of one turn. It is read once at the start of the turn, and every edit is written immediately. If
 * another turn has written the block in the meantime, the edit is applied again to the newer content, so that no line
 * is lost and no line is edited that the model has not seen.
 */
export class CoreMemory {
  readonly owner: MemoryOwner;
  readonly #blocks: ReadonlyMap<string, BlockState>;
  readonly #save: SaveContent;
  readonly #clock: Clock;
  #nextId = 0;
  #updates: MemoryUpdate[] = [];
  /** The newest version of each block that this turn has written. */
  readonly #written = new Map<string, number>();

  constructor({ owner, blocks, save, clock }: CoreMemoryDeps) {
    this.owner = owner;
    this.#save = save;
    this.#clock = clock;
    this.#blocks = new Map(
      blocks.map(({ content, ...definition }) => {
        const lines = content.lines.map((text) => this.#newLine(text));
        return [definition.name, { definition, content, lines, seen: lines.map(({ id }) => id) }];
      }),
    );
  }

  /** Returns all blocks, sorted by name. */
  blocks(): readonly BlockView[] {
    return [...this.#blocks.values()].map(viewOf);
  }

  /** Returns the block that a model's spelling of its name refers to. Throws `EditRefused` if there is none. */
  block(name: string): BlockView {
    return viewOf(this.#state(name));
  }

  /** Makes line numbers refer to the current lines. Call this before the tool calls of a new response. */
  beginResponse(): void {
    for (const state of this.#blocks.values()) state.seen = state.lines.map(({ id }) => id);
  }

  /** Returns the lines as `beginResponse` has numbered them, by block; null for a line that is gone. */
  seenLines(): Readonly<Record<string, readonly (string | null)[]>> {
    return Object.fromEntries(
      [...this.#blocks].map(([name, { lines, seen }]) => {
        const texts = new Map(lines.map(({ id, text }) => [id, text]));
        return [name, seen.map((id) => texts.get(id) ?? null)];
      }),
    );
  }

  /**
   * Makes line numbers refer to the lines that `seenLines` has returned in an earlier part of the turn. A line that has been changed
   * or removed since then counts as gone.
   */
  resumeResponse(seenLines: Readonly<Record<string, readonly (string | null)[]>>): void {
    const seen = new Map(Object.entries(seenLines));
    for (const [name, state] of this.#blocks) {
      const old = (seen.get(name) ?? []).map((text) => (text === null ? undefined : this.#newLine(text)));
      const ours = old.filter((line) => line !== undefined);
      state.lines = this.#adopt(state.content.lines, ours);
      state.seen = old.map((line) => line?.id ?? GONE);
    }
  }

  /** Returns the writes since the last call. */
  takeUpdates(): readonly MemoryUpdate[] {
    const updates = this.#updates;
    this.#updates = [];
    return updates;
  }

  /** Returns the blocks that this turn has written, each with its newest version. */
  written(): readonly MemoryUpdate[] {
    return [...this.#written].map(([block, version]) => ({ block, version }));
  }

  /**
   * Appends a line, unless the block already has it. Throws `EditRefused` if there is no such block, the line is empty
   * or too long, or the block would exceed its limit.
   */
  async append(name: string, content: string): Promise<Edit> {
    const state = this.#state(name);
    const line = this.#newLine(oneLine(content));

    return this.#edit(state, () => {
      const known = state.lines.findIndex(({ text }) => matchesLine(line.text, text));
      const same = state.lines[known];
      if (same) return { line: known + 1, old: same.text, text: same.text };
      return { line: state.lines.length + 1, old: "", text: line.text, lines: [...state.lines, line] };
    });
  }

  /**
   * Replaces a line. Returns `undefined` if there is no such line. Throws `EditRefused` as `append` does, and if the
   * line is not the `expected` text.
   */
  async replace(name: string, number: number, content: string, expected?: string): Promise<Edit | undefined> {
    const state = this.#state(name);
    const text = oneLine(content);
    const id = state.seen[number - 1];
    if (id === undefined) return undefined;

    return this.#edit(state, () => {
      const at = this.#find(state, id, number, expected);
      if (at === undefined) return undefined;

      const old = state.lines[at]?.text ?? "";
      if (matchesLine(text, old)) return { line: number, old, text: old };
      return { line: number, old, text, lines: state.lines.with(at, { id, text, words: countWords(text) }) };
    });
  }

  /**
   * Removes a line, so that later lines move up. Returns `undefined` if there is no such line. Throws `EditRefused` if
   * there is no such block, or the line is not the `expected` text.
   */
  async remove(name: string, number: number, expected?: string): Promise<Edit | undefined> {
    const state = this.#state(name);
    const id = state.seen[number - 1];
    if (id === undefined) return undefined;

    return this.#edit(state, () => {
      const at = this.#find(state, id, number, expected);
      if (at === undefined) return undefined;
      return {
        line: number,
        old: state.lines[at]?.text ?? "",
        text: "",
        lines: state.lines.toSpliced(at, 1),
      };
    });
  }

  /**
   * Plans and saves an edit, again on the newer content if it was changed concurrently. `plan` derives the edit from
   * the current state; without `lines` there is nothing to change.
   */
  async #edit<Plan extends Planned | undefined>(
    state: BlockState,
    plan: () => Plan,
  ): Promise<Edit | Extract<Plan, undefined>> {
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const planned = plan();
      // No plan means that the line does not exist. Only edits that refer to a line return no plan.
      if (!planned) return undefined as Extract<Plan, undefined>;

      const { lines, ...edit } = planned;
      if (!lines) return { ...edit, block: viewOf(state), changed: false };

      requireWithinLimit(state, lines);
      if (await this.#write(state, lines)) return { ...edit, block: viewOf(state), changed: true };
    }
    const { name } = state.definition;
    throw new EditRefused(`Error: Block [${name}] is being changed concurrently. Try again later.`);
  }

  /** Saves the lines. If the block was changed concurrently, adopts the newer content and returns false. */
  async #write(state: BlockState, lines: readonly Line[]): Promise<boolean> {
    const { name } = state.definition;
    const outcome = await this.#save({
      block: { ...state.definition, content: state.content },
      lines: lines.map(({ text }) => text),
      changedAt: this.#clock.timestamp(),
    });

    if ("current" in outcome) {
      if (!outcome.current) throw doesNotExist(name);

      const { content, ...definition } = outcome.current;
      state.lines = this.#adopt(content.lines, state.lines);
      state.content = content;
      state.definition = definition;
      return false;
    }

    const before = new Set(state.lines.map(({ id }) => id));
    const added = lines.filter(({ id }) => !before.has(id)).map(({ id }) => id);
    state.seen = [...state.seen, ...added];
    state.lines = lines;
    state.content = outcome.saved;
    const version = outcome.saved.revision?.version ?? 0;
    this.#updates.push({ block: name, version });
    this.#written.set(name, version);
    return true;
  }

  /** Returns lines written by others, with the ids of our lines that have the same text. */
  #adopt(texts: readonly string[], ours: readonly Line[]): readonly Line[] {
    // Reversed, because `pop` takes from the end: of several equal lines, the first one has to be taken first.
    const unmatched = Map.groupBy(ours.toReversed(), ({ text }) => text);
    return texts.map((text) => unmatched.get(text)?.pop() ?? this.#newLine(text));
  }

  /** Returns the current index of a line, or `undefined` if an earlier call of the same response has removed it. */
  #find(state: BlockState, id: number, number: number, expected: string | undefined): number | undefined {
    const at = state.lines.findIndex((line) => line.id === id);
    if (at < 0) return undefined;

    const text = state.lines[at]?.text ?? "";
    if (expected !== undefined && !matchesLine(oneLine(expected), text))
      throw refusal(viewOf(state), expectationMissed(state, number, text));
    return at;
  }

  #state(name: string): BlockState {
    const normal = normalizeBlockName(name);
    const state =
      this.#blocks.get(name.trim()) ??
      this.#blocks.get(normal) ??
      // Names chosen by people may have underscores that the normalized form drops.
      [...this.#blocks.values()].find(({ definition }) => normalizeBlockName(definition.name) === normal);
    if (!state) throw doesNotExist(normal);
    return state;
  }

  #newLine(text: string): Line {
    return { id: this.#nextId++, text, words: countWords(text) };
  }
}

interface Planned extends Pick<Edit, "line" | "old" | "text"> {
  readonly lines?: readonly Line[];
}

const sumOfWords = (lines: readonly Line[]): number => lines.reduce((sum, { words }) => sum + words, 0);

/** Returns a block as a turn that starts now would see it. */
export const blockViewOf = ({ content, ...definition }: Block): BlockView => ({
  ...definition,
  lines: content.lines,
  wordCount: wordsIn(content.lines),
});

const viewOf = ({ definition, lines }: BlockState): BlockView => {
  const texts = lines.map(({ text }) => text);
  return { ...definition, lines: texts, wordCount: sumOfWords(lines) };
};

const doesNotExist = (name: string): EditRefused => new EditRefused(`Error: Block [${name}] does not exist.`);

/** Throws if an edit leaves a block above its limit, unless it makes a block smaller that was already above it. */
function requireWithinLimit(state: BlockState, lines: readonly Line[]): void {
  const block = viewOf(state);
  const words = sumOfWords(lines);
  const shrinks = lines.length < state.lines.length || words < block.wordCount;
  if (words <= block.wordLimit || shrinks) return;

  throw refusal(
    block,
    `Error: Block [${block.name}] has no room for this: it would have ${words}/${block.wordLimit} words. ` +
      "Shorten or merge lines, or delete outdated ones, and try again (no change)",
  );
}

const expectationMissed = ({ definition }: BlockState, number: number, text: string): string =>
  `Error: Line ${number} in [${definition.name}] is "${onOneLine(text)}", not the expected text (no change)`;

const refusal = (block: BlockView, message: string): EditRefused =>
  new EditRefused(withWarning(message, block));

/** Returns whether a text equals a stored line, either as it is stored or as it is shown to the model. */
function matchesLine(text: string, stored: string): boolean {
  const line = onOneLine(stored);
  // Fencing only inserts character references, so a text without "&" can't be a fenced form.
  return text === line || (text.includes("&") && text === fence(line));
}

/** Returns a model's text as one line. Throws `EditRefused` if it is empty or too long. */
function oneLine(content: string): string {
  const line = onOneLine(content.toWellFormed());
  if (line === "") throw new EditRefused("Error: The content of a line can't be empty.");
  if (line.length > MAX_LINE_CHARS)
    throw new EditRefused(
      `Error: A line can have at most ${MAX_LINE_CHARS} characters. Split it into several facts.`,
    );
  return line;
}
