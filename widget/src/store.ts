/** What the browser keeps of a visitor, so that a reload of the page goes on where it was. */
export interface Kept {
  /** The visitor's token. That of a person who is signed in on the page is never kept. */
  readonly token?: string | undefined;
  /** When the token should be renewed, in milliseconds since 1970; undefined for one that cannot be. */
  readonly renewAt?: number | undefined;
  readonly conversationId?: string | undefined;
  /** Whether the chat is open. */
  readonly isOpen?: boolean;
  /** A message that the service may not have received: it is sent again with its key, which makes the two one message. */
  readonly unsent?: { readonly content: string; readonly key: string } | undefined;
}

/** Keeps an object of JSON in a storage of the browser, or in memory if the browser or the page forbids storage. */
export class Store {
  readonly #storage: () => Storage;
  readonly #name: string;
  #kept: Kept = {};

  /** `storage` may throw: browsers do where cookies are blocked. */
  constructor(storage: () => Storage, name: string) {
    this.#storage = storage;
    this.#name = name;
  }

  /** What is kept now: other tabs may have changed it. */
  get kept(): Kept {
    this.#kept = this.#read();
    return this.#kept;
  }

  /** Replaces some members. Undefined removes one. */
  set(changes: Kept): void {
    this.#kept = { ...this.kept, ...changes };
    try {
      this.#storage().setItem(this.#name, JSON.stringify(this.#kept));
    } catch {
      // Full or forbidden. The chat works until the page is left.
    }
  }

  /** Forgets everything. */
  clear(): void {
    this.#kept = {};
    try {
      this.#storage().removeItem(this.#name);
    } catch {
      // Forbidden, so that nothing has been kept.
    }
  }

  /** Scripts of the page and people can write anything there. */
  #read(): Kept {
    try {
      const text = this.#storage().getItem(this.#name);
      const value = JSON.parse(text ?? "{}") as Record<string, unknown> | null;
      const unsent = value?.["unsent"] as { content?: unknown; key?: unknown } | null | undefined;
      const { content, key } = unsent ?? {};
      const renewAt = value?.["renewAt"];
      return {
        token: textOf(value?.["token"]),
        renewAt: typeof renewAt === "number" ? renewAt : undefined,
        conversationId: textOf(value?.["conversationId"]),
        isOpen: value?.["isOpen"] === true,
        ...(typeof content === "string" && typeof key === "string" && { unsent: { content, key } }),
      };
    } catch {
      return this.#kept;
    }
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
