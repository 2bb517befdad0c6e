import type { Scope } from "../auth/caller.ts";
import type { Identified } from "../auth/callers.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { alreadyMade, type ApiKey, hashOfSecret, newSecret } from "./model.ts";
import type { ApiKeyRepository } from "./repository.ts";

/** What of agents keys need: throws a 404 for one that is absent or not the owner's. */
export interface KeyAgents {
  get(owner: string, agentId: string): Promise<unknown>;
}

/** What a key is asked for with. */
export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly agentIds: readonly string[] | null;
  readonly expiresAt: string | null;
}

/** Use is noted in steps of an hour: it costs a write, and nobody needs to know better. */
const TOUCH_MS = 60 * 60 * 1000;

/** Keys for programs. */
export class ApiKeyService {
  readonly #keys: ApiKeyRepository;
  readonly #agents: KeyAgents;
  readonly #clock: Clock;

  constructor(keys: ApiKeyRepository, agents: KeyAgents, clock: Clock) {
    this.#keys = keys;
    this.#agents = agents;
    this.#clock = clock;
  }

  /** Makes a key, and gives its secret this once. Who repeats a request names its id, and is told that it was made. */
  async create(
    owner: string,
    input: NewApiKey,
    wantedId?: string,
  ): Promise<{ readonly key: ApiKey; readonly secret: string }> {
    const { expiresAt, agentIds } = input;
    if (expiresAt !== null && Date.parse(expiresAt) <= this.#clock.now())
      throw new AppError("validation-failed", "The body is not valid: expires_at: Must be in the future", {
        extensions: { errors: [{ path: ["expires_at"], message: "Must be in the future", code: "custom" }] },
      });
    await Promise.all((agentIds ?? []).map((agentId) => this.#agents.get(owner, agentId)));

    const secret = newSecret();
    const key: ApiKey = {
      ...input,
      owner,
      id: wantedId ?? newId(this.#clock.now()),
      hash: await hashOfSecret(secret),
      lastFour: secret.slice(-4),
      createdAt: this.#clock.timestamp(),
      lastUsedAt: null,
      revokedAt: null,
    };
    if (!(await this.#keys.create(key))) throw alreadyMade(key.id);
    return { key, secret };
  }

  list(owner: string, limit: number, cursor: string | undefined) {
    return this.#keys.list(owner, limit, cursor);
  }

  revoke(owner: string, id: string): Promise<void> {
    return this.#keys.revoke(owner, id, this.#clock.timestamp());
  }

  /**
   * The program that has this secret. Throws a 401 that does not tell unknown, expired and revoked keys apart. Every
   * request looks its key up in the table, so a revoked one is dead at once.
   */
  async identify(secret: string): Promise<Identified> {
    const known = await this.#keys.find(await hashOfSecret(secret));
    const now = this.#clock.now();
    if (!known || (known.expiresAt !== null && !(Date.parse(known.expiresAt) > now)))
      throw new AppError("unauthenticated", "Invalid API key");

    const { id, owner, agentIds, scopes, lastUsedAt } = known;
    const caller = { kind: "key", id, space: { owner, agentIds }, scopes, origins: [] } as const;
    const isFresh = lastUsedAt !== null && now - Date.parse(lastUsedAt) < TOUCH_MS;
    return {
      caller,
      hasExpired: false,
      ...(!isFresh && { note: () => this.#keys.touch(known, this.#clock.timestamp()) }),
    };
  }
}
