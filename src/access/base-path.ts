import { NOBODYS_ID } from "../http/schemas.ts";
import { type KnowledgeBaseId, knowledgeBaseIdOf } from "../shared/id-types.ts";
import { pathConfinement } from "./confined-path.ts";

/**
 * Validates the path of a route about a knowledge base. Knowledge bases belong to the whole account. For a caller that is limited to
 * certain agents, no base exists here: such callers reach the bases of their agents through the agents' own routes.
 */
export const { validatePath: validateBasePath, confines: confinesBases } = pathConfinement<{
  readonly kbId: KnowledgeBaseId;
}>((_path, { agentIds }) => (agentIds ? { kbId: knowledgeBaseIdOf(NOBODYS_ID) } : undefined));
