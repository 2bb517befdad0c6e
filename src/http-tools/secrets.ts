import type { Vault } from "../shared/encryption.ts";
import type { AccountEmail, AgentId } from "../shared/id-types.ts";
import { objectFrom } from "../shared/json.ts";
import type { HttpTool } from "./model.ts";

/** Part of the additional data: a ciphertext for this purpose cannot be opened for another. */
const PURPOSE = "http tool secrets";

/** The agent that a tool belongs to. */
export interface ToolPlace {
  readonly accountEmail: AccountEmail;
  readonly agentId: AgentId;
}

/** The secrets of a tool by name. */
export type Secrets = Readonly<Record<string, string>>;

/** Encrypts the secrets of tools, and decrypts them only for the account, agent and tool that they were stored for. */
export class HttpToolSecrets {
  readonly #vault: Vault;

  constructor({ vault }: { readonly vault: Vault }) {
    this.#vault = vault;
  }

  /** Returns the secrets encrypted, or null if there are none. */
  seal(place: ToolPlace, toolId: string, secrets: Secrets): Promise<string | null> {
    if (Object.keys(secrets).length === 0) return Promise.resolve(null);
    return this.#vault.seal(JSON.stringify(secrets), bindingOf(place, toolId));
  }

  /**
   * Returns a tool's secrets, or `undefined` if their key is gone or they belong to another tool. `isCurrent` is false if they were
   * not encrypted with the first key of the ring.
   */
  async open(
    place: ToolPlace,
    { id, sealedSecrets }: Pick<HttpTool, "id" | "sealedSecrets">,
  ): Promise<{ readonly secrets: Secrets; readonly isCurrent: boolean } | undefined> {
    if (sealedSecrets === null) return { secrets: {}, isCurrent: true };
    const opened = await this.#vault.open(sealedSecrets, bindingOf(place, id));
    const secrets = opened && objectFrom(opened.text);
    // The cast states what `seal` has written.
    return secrets && { secrets: secrets as Secrets, isCurrent: opened.isCurrent };
  }
}

const bindingOf = ({ accountEmail, agentId }: ToolPlace, toolId: string) => ({
  purpose: PURPOSE,
  owner: accountEmail,
  subject: JSON.stringify([agentId, toolId]),
});
