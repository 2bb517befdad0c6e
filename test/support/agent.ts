import type { Agent } from "../../src/agents/model.ts";
import { accountEmailOf, agentIdOf } from "../../src/shared/id-types.ts";

/** Returns an agent as the table's client reads it. For tests of pure functions, which store nothing. */
export const agentWith = (persona: string): Agent => ({
  id: agentIdOf("a"),
  name: "Ada",
  architecture: "",
  provider: "Demo",
  model: null,
  persona,
  temperature: null,
  maxOutputTokens: null,
  contextWindow: null,
  fallbackProvider: null,
  fallbackModel: null,
  allowedOrigins: [],
  toolApprovals: {},
  endUserMessagesPerMonth: null,
  sessionTimeoutMinutes: 0,
  accountEmail: accountEmailOf("alice@example.com"),
  createdAt: "",
  updatedAt: null,
});
