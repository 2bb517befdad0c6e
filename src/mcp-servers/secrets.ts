import type { ToolPlace } from "../http-tools/secrets.ts";
import type { Vault } from "../shared/encryption.ts";
import { type AccountEmail, accountEmailOf, type AgentId, agentIdOf } from "../shared/id-types.ts";
import { objectFrom, valueFrom } from "../shared/json.ts";
import type { McpServer } from "./model.ts";

/** Parts of the additional data: a ciphertext for one purpose cannot be opened for another. */
const SECRETS = "mcp server secrets";
const STATE = "mcp authorization state";

/** The secrets of a server. */
export interface ServerSecrets {
  /** The token that the owner has entered. */
  readonly bearer?: string;
  readonly clientSecret?: string;
  readonly accessToken?: string;
  readonly refreshToken?: string;
}

/** What the `state` of an authorization says: whose it is, and what redeems its code. */
export interface AuthorizationState {
  readonly accountEmail: AccountEmail;
  readonly agentId: AgentId;
  readonly serverId: string;
  /** That of the server's pending authorization, which it can complete once. */
  readonly id: string;
  /** Proves to the authorization server that the same client asked for the code and redeems it (PKCE). */
  readonly verifier: string;
  /** `undefined` for a public client. */
  readonly clientSecret: string | undefined;
}

/** Encrypts the secrets of servers for their account, agent and server, and the states of authorizations. */
export class McpServerSecrets {
  readonly #vault: Vault;

  constructor({ vault }: { readonly vault: Vault }) {
    this.#vault = vault;
  }

  /** Returns the secrets encrypted, or null if there are none. */
  seal(place: ToolPlace, serverId: string, secrets: ServerSecrets): Promise<string | null> {
    if (Object.keys(secrets).length === 0) return Promise.resolve(null);
    return this.#vault.seal(JSON.stringify(secrets), bindingOf(place, serverId));
  }

  /**
   * Returns a server's secrets, or `undefined` if their key is gone or they belong to another server. `isCurrent` is false if they
   * were not encrypted with the first key of the ring.
   */
  async open(
    place: ToolPlace,
    { id, sealedSecrets }: Pick<McpServer, "id" | "sealedSecrets">,
  ): Promise<{ readonly secrets: ServerSecrets; readonly isCurrent: boolean } | undefined> {
    if (sealedSecrets === null) return { secrets: {}, isCurrent: true };
    const opened = await this.#vault.open(sealedSecrets, bindingOf(place, id));
    const secrets = opened && objectFrom(opened.text);
    return secrets && { secrets, isCurrent: opened.isCurrent };
  }

  /** Returns the text that an authorization server is given as `state`. Privacy: it reveals nothing to that server. */
  sealState({
    accountEmail,
    agentId,
    serverId,
    id,
    verifier,
    clientSecret,
  }: AuthorizationState): Promise<string> {
    const parts = [accountEmail, agentId, serverId, id, verifier, clientSecret ?? ""];
    return this.#vault.seal(JSON.stringify(parts), FOR_STATE);
  }

  /** Returns what a `state` says, or `undefined` if this service has not made it. */
  async openState(state: string): Promise<AuthorizationState | undefined> {
    const opened = await this.#vault.open(state, FOR_STATE);
    const parts = opened && valueFrom(opened.text);
    if (!Array.isArray(parts)) return undefined;
    const [accountEmail = "", agentId = "", serverId = "", id = "", verifier = "", clientSecret] =
      parts.map(String);
    return {
      accountEmail: accountEmailOf(accountEmail),
      agentId: agentIdOf(agentId),
      serverId,
      id,
      verifier,
      clientSecret: clientSecret === "" ? undefined : clientSecret,
    };
  }
}

const FOR_STATE = { purpose: STATE, owner: "", subject: "" } as const;

const bindingOf = ({ accountEmail, agentId }: ToolPlace, serverId: string) => ({
  purpose: SECRETS,
  owner: accountEmail,
  subject: JSON.stringify([agentId, serverId]),
});
