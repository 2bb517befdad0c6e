/** Where the text goes. */
interface Texts {
  reasoning(text: string): void;
  visible(text: string): void;
}

/** Models that think in their text begin it with one of these tags. */
const OPENING = /^\s*<(think|thinking|thought|reasoning)>\s*/iu;
/** Longer than white space and any of the tags. */
const MAX_OPENING_CHARS = 64;
const MAX_CLOSING_CHARS = "</reasoning>".length;
const TAGS: readonly string[] = ["<think>", "<thinking>", "<thought>", "<reasoning>"];

/** Sets apart the reasoning that servers leave in the text: `<think>…</think>` at its beginning. */
export class ThinkTags {
  /** Whether all further text belongs to the answer. */
  isDone = false;
  /** Matches the tag that ends the reasoning. `undefined` as long as none has begun. */
  #closing: RegExp | undefined;
  /** Text that may be the beginning of a tag. */
  #held = "";
  /** Whether reasoning has ended. The white space after it is dropped. */
  #skipsSpace = false;

  push(piece: string, to: Texts): void {
    this.#held += piece;
    let waits = false;
    while (!waits) waits = this.#closing ? this.#inReasoning(to, this.#closing) : this.#atBeginning(to);
  }

  /**
   * Looks for a tag at the beginning of the text, or after reasoning: some models think twice. Returns whether more text is
   * needed.
   */
  #atBeginning(to: Texts): boolean {
    if (this.#skipsSpace) this.#held = this.#held.trimStart();
    const opening = OPENING.exec(this.#held.slice(0, MAX_OPENING_CHARS));
    if (opening) {
      this.#closing = new RegExp(`</${opening[1]}>`, "iu");
      this.#held = this.#held.slice(opening[0].length);
      return false;
    }
    if (mayBecomeTag(this.#held)) return true;
    this.isDone = true;
    to.visible(this.#held);
    this.#held = "";
    return true;
  }

  /** Passes on what is still held at the end of the answer. */
  end(to: Texts): void {
    if (this.#closing) to.reasoning(this.#held);
    else to.visible(this.#held);
    this.#held = "";
  }

  /** Passes on reasoning up to its end. Returns whether more text is needed. */
  #inReasoning(to: Texts, closing: RegExp): boolean {
    const found = closing.exec(this.#held);
    if (found) {
      to.reasoning(this.#held.slice(0, found.index));
      this.#held = this.#held.slice(found.index + found[0].length);
      this.#closing = undefined;
      this.#skipsSpace = true;
      return false;
    }
    // All but what may be the beginning of the closing tag.
    const open = this.#held.lastIndexOf("<");
    const end = open >= 0 && this.#held.length - open < MAX_CLOSING_CHARS ? open : this.#held.length;
    to.reasoning(this.#held.slice(0, end));
    this.#held = this.#held.slice(end);
    return true;
  }
}

function mayBecomeTag(text: string): boolean {
  const begun = text.trimStart().toLowerCase();
  return text.length < MAX_OPENING_CHARS && TAGS.some((tag) => tag.startsWith(begun));
}
