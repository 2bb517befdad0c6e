import type { DeletionGuard } from "../deletions/model.ts";
import type { KeyGrant } from "../access/publishable-key.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound } from "../shared/errors.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { newId } from "../shared/ids.ts";
import { isPublicKey, type KeySettings, newPublicKey, type PublishableKey } from "./model.ts";
import type { PublishableKeyRepository } from "./repository.ts";

/** Looks up agents; `get` throws `not-found` if the agent does not exist or belongs to someone else. */
interface KeyAgents {
  get(accountEmail: AccountEmail, agentId: AgentId): Promise<unknown>;
}

interface PublishableKeyServiceDeps {
  readonly keys: PublishableKeyRepository;
  readonly agents: KeyAgents;
  readonly clock: Clock;
}

/** A page of keys; `nextCursor` is null on the last one. */
interface KeyPage {
  readonly items: readonly PublishableKey[];
  readonly nextCursor: string | null;
}

/**
 * Manages the publishable keys of agents, and checks those of requests. Methods that take an account throw `not-found` if the agent
 * is not the account's.
 */
export class PublishableKeyService {
  readonly #keys: PublishableKeyRepository;
  readonly #agents: KeyAgents;
  readonly #clock: Clock;

  constructor({ keys, agents, clock }: PublishableKeyServiceDeps) {
    this.#keys = keys;
    this.#agents = agents;
    this.#clock = clock;
  }

  /** Creates a key. `wantedId` is the id that an earlier attempt of the same request used; a repeat returns the same key. */
  create(
    accountEmail: AccountEmail,
    agentId: AgentId,
    settings: KeySettings,
    wantedId?: string,
  ): Promise<PublishableKey> {
    return this.#keys.create({
      ...settings,
      id: wantedId ?? newId(this.#clock.now()),
      accountEmail,
      agentId,
      publicKey: newPublicKey(),
      createdAt: this.#clock.timestamp(),
      lastUsedAt: null,
      requestCount: 0,
      isLegacy: false,
    });
  }

  /** Returns a page of an agent's keys, newest first. Keys of the legacy Python service become usable by being listed. */
  async list(
    accountEmail: AccountEmail,
    agentId: AgentId,
    limit: number,
    cursor: string | undefined,
  ): Promise<KeyPage> {
    await this.#agents.get(accountEmail, agentId);
    const page = await this.#keys.list(agentId, limit, cursor);
    for (const key of page.items) if (key.isLegacy) await this.#keys.adopt(key);
    return page;
  }

  /** Returns a key. Throws `not-found` if the agent has no such key. */
  async get(accountEmail: AccountEmail, agentId: AgentId, id: string): Promise<PublishableKey> {
    const [, key] = await Promise.all([this.#agents.get(accountEmail, agentId), this.#keys.get(agentId, id)]);
    if (!key) throw notFound("API key");
    if (key.isLegacy) await this.#keys.adopt(key);
    return key;
  }

  /** Applies the changes and returns the changed key. Throws `not-found` if the agent has no such key. */
  async update(
    accountEmail: AccountEmail,
    agentId: AgentId,
    id: string,
    changes: Partial<KeySettings>,
  ): Promise<PublishableKey> {
    const key = await this.get(accountEmail, agentId, id);
    if (Object.keys(changes).length === 0) return key;
    if (!(await this.#keys.update(key, changes))) throw notFound("API key");
    return { ...key, ...changes };
  }

  /** Deletes a key, which is invalid from then on. Does nothing if the agent has no such key. */
  async remove(accountEmail: AccountEmail, agentId: AgentId, id: string): Promise<void> {
    await this.#agents.get(accountEmail, agentId);
    const key = await this.#keys.get(agentId, id);
    if (key) await this.#keys.remove(key);
  }

  /** Deletes the keys of an agent that is being deleted. Returns false if some are left; then call it again. */
  removeAll(agentId: AgentId, guard: DeletionGuard): Promise<boolean> {
    return this.#keys.removeSome(agentId, guard);
  }

  /**
   * Returns what a key opens for pages of an origin; `undefined` stands for a request without one, which no browser sends to another
   * origin. Throws `unauthenticated` if there is no such key or it is disabled, and `forbidden` if it is not for this origin.
   */
  async identify(publicKey: string | undefined, origin: string | undefined): Promise<KeyGrant> {
    if (publicKey === undefined) throw new AppError("unauthenticated", "Missing X-API-Key header");
    const grant = await this.require(publicKey);
    const { allowedOrigins } = grant;
    if (allowedOrigins.length > 0 && !(origin !== undefined && allowedOrigins.includes(origin)))
      throw new AppError("forbidden", `Origin '${shown(origin)}' is not allowed for this API key`);
    return grant;
  }

  /** Returns what a key opens, whoever names it. Throws `unauthenticated` if there is no such key or it is disabled. */
  async require(publicKey: string): Promise<KeyGrant> {
    const grant = isPublicKey(publicKey) ? await this.#keys.find(publicKey) : undefined;
    if (!grant) throw new AppError("unauthenticated", "Invalid API key");
    if (!grant.isActive) throw new AppError("unauthenticated", "API key is disabled");
    return grant;
  }

  /** Counts a request with a key. */
  touch(grant: KeyGrant): Promise<void> {
    return this.#keys.touch(grant, this.#clock.timestamp());
  }
}

/** The longest origin that a sentence repeats, in characters. */
const MAX_SHOWN = 255;

const shown = (origin: string | undefined): string => (origin ?? "None").slice(0, MAX_SHOWN);
