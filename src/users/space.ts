import { userConversationsPartition } from "../table/keys.ts";

/** Somebody who talks to an agent of an account without having one: known under an id that the account's owner gave. */
export interface EndUserRef {
  readonly agentId: string;
  readonly id: string;
}

/** Whose conversations and memories are meant, and which of them are in reach. */
export interface Space {
  /** The e-mail of the account, whose agents, credentials and plan are used. */
  readonly owner: string;
  /** Without one, the conversations and memories are the owner's own. */
  readonly endUser?: EndUserRef | null;
  /** Drawn when an end user is first seen: one who was deleted and came back is another, whatever old tokens say. */
  readonly generation?: string | null;
  /** When the caller's access token was issued, in seconds since the epoch; see `requireActive`. */
  readonly issuedAt?: number | null;
  /** The only agents in reach; all of the owner's where nothing is said. */
  readonly agentIds?: readonly string[] | null;
}

/** The conversations and memories of an account's owner. */
export const ownSpace = (owner: string): Space => ({ owner });

/** What tells spaces apart. E-mails and ids hold no `#`, so no owner's space can pass for an end user's. */
export const spaceName = ({ owner, endUser }: Space): string =>
  endUser ? `${owner}#EndUser#${endUser.agentId}#${endUser.id}` : owner;

/** Where the conversations of a space stand. */
export const conversationsPartition = (space: Space): string => userConversationsPartition(spaceName(space));

/** Who says and makes things in a space: the owner's e-mail, or the id of the end user. */
export const personIn = ({ owner, endUser }: Space): string => endUser?.id ?? owner;

/** Whether an agent is in reach. Whether there is such an agent, and whose it is, the table tells. */
export const reaches = ({ agentIds }: Space, agentId: string): boolean =>
  !agentIds || agentIds.includes(agentId);
