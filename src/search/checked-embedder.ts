import type { Embedder } from "../llm/embeddings.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import type { SemanticSearch } from "./semantic-search.ts";

/** How often to check whether an agent's provider offers embeddings. */
const EMBEDDER_MS = 5 * 60_000;

/** Whose credentials may be used, if that is known. */
export interface EmbedderOwner {
  readonly accountEmail?: AccountEmail;
}

/** The semantic search of a memory, if its agent has an embedder, and when that was checked (ms since the epoch). */
interface CheckedSemantic {
  readonly semantic: SemanticSearch | undefined;
  readonly checkedAt: number;
}

interface CheckedEmbedderDeps {
  /** Returns the embedder for the agent with the credentials of this account, or `undefined` if it has none. */
  readonly open: (accountEmail: AccountEmail) => Promise<Embedder | undefined>;
  readonly searchWith: (embedder: Embedder) => SemanticSearch;
  readonly now: () => number;
}

/** Finds out, from time to time, whether a memory can be searched by meaning. */
export class CheckedEmbedder {
  readonly #open: CheckedEmbedderDeps["open"];
  readonly #searchWith: CheckedEmbedderDeps["searchWith"];
  readonly #now: CheckedEmbedderDeps["now"];
  #known: CheckedSemantic | undefined;
  #checking: Promise<SemanticSearch | undefined> | undefined;

  constructor({ open, searchWith, now }: CheckedEmbedderDeps) {
    this.#open = open;
    this.#searchWith = searchWith;
    this.#now = now;
  }

  /** Returns the memory's semantic search, or `undefined` if there is none. Concurrent callers share one check. */
  search(owner: EmbedderOwner): Promise<SemanticSearch | undefined> {
    this.#checking ??= this.#check(owner).finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Checks if the last check is too old. If the check fails, returns the known semantic search, if any. */
  async #check(owner: EmbedderOwner): Promise<SemanticSearch | undefined> {
    const known = this.#known;
    const now = this.#now();
    if (known && now - known.checkedAt < EMBEDDER_MS) return known.semantic;

    // Without the account, there are no credentials to embed with. The next memory search passes it.
    if (owner.accountEmail === undefined) return known?.semantic;

    let embedder: Embedder | undefined;
    try {
      embedder = await this.#open(owner.accountEmail);
    } catch (error) {
      console.warn({ message: "An agent's embedder could not be opened.", error: String(error) });
      return known?.semantic;
    }

    // Created again even for the same embedder, because its credentials may have changed. Its vectors are kept.
    const semantic = embedder && this.#searchWith(embedder);
    this.#known = { semantic, checkedAt: now };
    return semantic;
  }
}
