import { NOBODYS_ID } from "../http/schemas.ts";
import { type AgentId, agentIdOf } from "../shared/id-types.ts";
import { reaches } from "./access-scope.ts";
import { pathConfinement } from "./confined-path.ts";

/** Validates the path of a route about an agent. For a caller whose scope does not reach the agent, it does not exist. */
export const { validatePath: validateAgentPath, confines: confinesAgents } = pathConfinement<{
  readonly agentId: AgentId;
}>(({ agentId }, scope) => (reaches(scope, agentId) ? undefined : { agentId: agentIdOf(NOBODYS_ID) }));
