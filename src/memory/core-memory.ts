import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { ContentChange } from "./block-writes.ts";
import { withWarning } from "./capacity.ts";
import { asOneLine, MAX_LINE_CHARS } from "./lines.ts";
import {
  type Block,
  type BlockContent,
  type BlockDefinition,
  type MemoryOwner,
  normalizeBlockName,
  wordsIn,
} from "./model.ts";
import type { SaveOutcome } from "./repository.ts";

/** How often an edit is made again on what somebody else has made of the block meanwhile. */
const REBASES = 8;

/** Saves a block for one memory and one author; see `MemoryRepository.saveContent`. */
export type SaveContent = (change: Omit<ContentChange, "author">) => Promise<SaveOutcome>;

/** An edit that was not made. The message is written for the model. */
export class EditRefused extends AppError {
  override readonly name = "EditRefused";

  constructor(message: string) {
    super("validation-failed", message);
  }
}

/** A block as the tools see it. */
export interface BlockView extends BlockDefinition {
  readonly lines: readonly string[];
  readonly wordCount: number;
}

/** What an edit did; `line` is 1-based. `changed` is false where the block already was as wanted. */
export interface Edit {
  readonly block: BlockView;
  readonly line: number;
  readonly changed: boolean;
  /** The text that stood in the line before; empty for a new line. */
  readonly old: string;
  /** The text that stands there now; empty for a line that was removed. */
  readonly text: string;
}

/** A block that was written, for those who follow the turn. */
export interface MemoryUpdate {
  readonly block: string;
  readonly version: number;
}

/** A line keeps its identity while its number changes, so that several edits of one response hit what was meant. */
interface Line {
  readonly id: number;
  readonly text: string;
}

interface BlockState {
  definition: BlockDefinition;
  content: BlockContent;
  lines: readonly Line[];
  /** Ids in the order in which the model knows them by number. */
  seen: readonly number[];
}

/**
 * The core memory of one turn: read once at its start, held while it lasts, and written through by every edit. When
 * another turn has written the block meanwhile, the edit is made again on top of that: no line is lost, and no line is
 * hit that the model has not seen.
 */
export class CoreMemory {
  readonly owner: MemoryOwner;
  readonly #blocks: ReadonlyMap<string, BlockState>;
  readonly #save: SaveContent;
  readonly #clock: Clock;
  #nextId = 0;
  #updates: MemoryUpdate[] = [];

  constructor(owner: MemoryOwner, blocks: readonly Block[], save: SaveContent, clock: Clock) {
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

  /** All blocks, by name. */
  blocks(): readonly BlockView[] {
    return [...this.#blocks.values()].map(viewOf);
  }

  /** The block that a model's spelling of its name means. */
  block(name: string): BlockView {
    return viewOf(this.#state(name));
  }

  /** From here on line numbers mean lines as they stand now. To be called when the model begins a new response. */
  beginResponse(): void {
    for (const state of this.#blocks.values()) state.seen = state.lines.map(({ id }) => id);
  }

  /** The writes since the last call. */
  takeUpdates(): readonly MemoryUpdate[] {
    const updates = this.#updates;
    this.#updates = [];
    return updates;
  }

  /** Adds a line, unless the block already has it. */
  async append(name: string, content: string): Promise<Edit> {
    const state = this.#state(name);
    const line = this.#newLine(oneLine(content));

    return this.#edit(state, () => {
      const known = state.lines.findIndex(({ text }) => text.trim() === line.text);
      if (known >= 0) return { line: known + 1, old: line.text, text: line.text };
      return { line: state.lines.length + 1, old: "", text: line.text, lines: [...state.lines, line] };
    });
  }

  /** Replaces a line; `expected` is what the model believes to stand there. Nothing where there is no such line. */
  async replace(name: string, number: number, content: string, expected?: string): Promise<Edit | undefined> {
    const state = this.#state(name);
    const text = oneLine(content);
    const id = state.seen[number - 1];
    if (id === undefined) return undefined;

    return this.#edit(state, () => {
      const at = this.#find(state, id, number, expected);
      if (at === undefined) return undefined;

      const old = state.lines[at]?.text ?? "";
      if (old === text) return { line: number, old, text };
      return { line: number, old, text, lines: state.lines.with(at, { id, text }) };
    });
  }

  /** Removes a line; later ones move up. Nothing where there is no such line. */
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
   * Makes an edit and saves it, again on the newer content when somebody else was faster. `plan` looks at the state as
   * it is and says what it wants; without `lines` the block already is as wanted.
   */
  async #edit<Plan extends Planned | undefined>(
    state: BlockState,
    plan: () => Plan,
  ): Promise<Edit | Extract<Plan, undefined>> {
    for (let attempt = 0; attempt < REBASES; attempt++) {
      const planned = plan();
      // Without a plan there is no such line, which only the edits that name one can find.
      if (!planned) return undefined as Extract<Plan, undefined>;

      const { lines, ...edit } = planned;
      if (!lines) return { ...edit, block: viewOf(state), changed: false };

      requireRoom(state, lines);
      if (await this.#write(state, lines)) return { ...edit, block: viewOf(state), changed: true };
    }
    const { name } = state.definition;
    throw new EditRefused(`Error: Block [${name}] is being changed by others all the time. Try again later.`);
  }

  /** Saves the lines; false where somebody else was faster, and the state is then theirs. */
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
    this.#updates.push({ block: name, version: outcome.saved.revision?.version ?? 0 });
    return true;
  }

  /** Others' lines, with the identities of ours where the text is the same. */
  #adopt(texts: readonly string[], ours: readonly Line[]): readonly Line[] {
    const left = [...ours];

    return texts.map((text) => {
      const same = left.findIndex((line) => line.text === text);
      return same < 0 ? this.#newLine(text) : (left.splice(same, 1)[0] ?? this.#newLine(text));
    });
  }

  /** Where the line stands now; nothing if an earlier call of the same response has removed it. */
  #find(state: BlockState, id: number, number: number, expected: string | undefined): number | undefined {
    const at = state.lines.findIndex((line) => line.id === id);
    if (at < 0) return undefined;

    const text = state.lines[at]?.text ?? "";
    if (expected !== undefined && oneLine(expected) !== text.trim())
      throw refusal(viewOf(state), expectationMissed(state, number, text));
    return at;
  }

  #state(name: string): BlockState {
    const normal = normalizeBlockName(name);
    const state =
      this.#blocks.get(name.trim()) ??
      this.#blocks.get(normal) ??
      // Names that people chose may have underscores that the normal form has not.
      [...this.#blocks.values()].find(({ definition }) => normalizeBlockName(definition.name) === normal);
    if (!state) throw doesNotExist(normal);
    return state;
  }

  #newLine(text: string): Line {
    return { id: this.#nextId++, text };
  }
}

interface Planned extends Pick<Edit, "line" | "old" | "text"> {
  readonly lines?: readonly Line[];
}

/** A block as a turn that begins now would see it. */
export const blockViewOf = ({ content, ...definition }: Block): BlockView => ({
  ...definition,
  lines: content.lines,
  wordCount: wordsIn(content.lines),
});

const viewOf = ({ definition, lines }: BlockState): BlockView => {
  const texts = lines.map(({ text }) => text);
  return { ...definition, lines: texts, wordCount: wordsIn(texts) };
};

const doesNotExist = (name: string): EditRefused => new EditRefused(`Error: Block [${name}] does not exist.`);

/** No edit may leave a block above its limit, except one that makes a block that already is above it smaller. */
function requireRoom(state: BlockState, lines: readonly Line[]): void {
  const block = viewOf(state);
  const words = wordsIn(lines.map(({ text }) => text));
  const shrinks = lines.length < state.lines.length || words < block.wordCount;
  if (words <= block.wordLimit || shrinks) return;

  throw refusal(
    block,
    `Error: Block [${block.name}] has no room for this: it would hold ${words}/${block.wordLimit} words. ` +
      "Shorten or merge lines, or delete what is out of date, and try again (no change)",
  );
}

const expectationMissed = ({ definition }: BlockState, number: number, text: string): string =>
  `Error: Line ${number} in [${definition.name}] is "${text}", not what was expected (no change)`;

const refusal = (block: BlockView, message: string): EditRefused =>
  new EditRefused(withWarning(message, block));

/** A line that can be kept. */
function oneLine(content: string): string {
  const line = asOneLine(content.toWellFormed());
  if (line === "") throw new EditRefused("Error: The content of a line can't be empty.");
  if (line.length > MAX_LINE_CHARS)
    throw new EditRefused(
      `Error: A line has at most ${MAX_LINE_CHARS} characters. Split it into several facts.`,
    );
  return line;
}
