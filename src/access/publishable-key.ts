import type { AccountEmail, AgentId } from "../shared/id-types.ts";

/**
 * What a publishable key opens: chats of visitors with one agent. Unlike the API keys of programs, it is no secret: it stands in the
 * source of web pages.
 */
export interface KeyGrant {
  readonly id: string;
  /** The account that owns the agent. */
  readonly accountEmail: AccountEmail;
  readonly agentId: AgentId;
  readonly name: string;
  /** The origins of the pages that may use the key, in the form that browsers send. If empty, any page and any program may. */
  readonly allowedOrigins: readonly string[];
  readonly isActive: boolean;
  /** Whether visitors have to sign in before they can chat. */
  readonly requiresSignIn: boolean;
}

/** A visitor of a web page: an end user who was not named by the agent's owner, and whom only a token identifies. */
export interface VisitorProfile {
  readonly name: string | null;
  readonly email: string | null;
  readonly picture: string | null;
  /** Whether nobody has vouched for the person: neither a sign-in nor the owner's back end. */
  readonly isAnonymous: boolean;
}
