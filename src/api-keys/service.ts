import type { Identified, Scope } from "../access/caller.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalidInput } from "../shared/errors.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { alreadyMade, type ApiKey, hashOfSecret, newSecret } from "./model.ts";
import type { ApiKeyRepository } from "./repository.ts";

/** Looks up agents; `get` throws `not-found` if the agent does not exist or belongs to someone else. */
export interface KeyAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<unknown>;
}

/** The input for a new key. */
export interface NewApiKey {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly agentIds: readonly AgentId[] | null;
  readonly expiresAt: string | null;
}

/** The last use is recorded at most once per hour, because each record costs a write. */
const TOUCH_MS = 60 * 60 * 1000;

interface ApiKeyServiceDeps {
  readonly keys: ApiKeyRepository;
  readonly agents: KeyAgents;
  readonly clock: Clock;
}

/** Creates, lists, revokes and verifies API keys. */
export class ApiKeyService {
  readonly #keys: ApiKeyRepository;
  readonly #agents: KeyAgents;
  readonly #clock: Clock;

  constructor({ keys, agents, clock }: ApiKeyServiceDeps) {
    this.#keys = keys;
    this.#agents = agents;
    this.#clock = clock;
  }

  /**
   * Creates a key and returns it with its secret, which is not stored. `wantedId` is the id from an idempotency key: if a key
   * with it exists, throws `conflict`. Throws `validation-failed` if `expiresAt` has passed and `not-found` if an agent does
   * not exist.
   */
  async create(
    accountEmail: AccountEmail,
    input: NewApiKey,
    wantedId?: string,
  ): Promise<{ readonly key: ApiKey; readonly secret: string }> {
    const { expiresAt, agentIds } = input;
    if (expiresAt !== null && Date.parse(expiresAt) <= this.#clock.now())
      throw invalidInput("json", [
        { path: ["expires_at"], message: "expires_at must be in the future.", code: "custom" },
      ]);
    await Promise.all((agentIds ?? []).map((agentId) => this.#agents.get(accountEmail, agentId)));

    const secret = newSecret();
    const key: ApiKey = {
      ...input,
      accountEmail,
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

  list(accountEmail: AccountEmail, limit: number, cursor: string | undefined) {
    return this.#keys.list(accountEmail, limit, cursor);
  }

  revoke(accountEmail: AccountEmail, id: string): Promise<void> {
    return this.#keys.revoke(accountEmail, id, this.#clock.timestamp());
  }

  /**
   * Returns the caller that has this secret. Throws `unauthenticated`, with one message for unknown, expired and revoked keys.
   * Every request looks its key up in the table, so revocation is immediate.
   */
  async identify(secret: string): Promise<Identified> {
    const known = await this.#keys.find(await hashOfSecret(secret));
    const now = this.#clock.now();
    if (!known || (known.expiresAt !== null && !(Date.parse(known.expiresAt) > now)))
      throw new AppError("unauthenticated", "Invalid API key");

    const { id, accountEmail, agentIds, scopes, lastUsedAt } = known;
    const caller = { kind: "key", id, scope: { accountEmail, agentIds }, scopes, origins: [] } as const;
    const isFresh = lastUsedAt !== null && now - Date.parse(lastUsedAt) < TOUCH_MS;
    return {
      caller,
      hasExpired: false,
      ...(!isFresh && { note: () => this.#keys.touch(known, this.#clock.timestamp()) }),
    };
  }
}
