import { expectTypeOf } from "vitest";
import type { AgentRepository } from "../../src/agents/repository.ts";
import type { AccountEmail, AgentId, ConversationId, RunId } from "../../src/shared/id-types.ts";

// Text and ids of other kinds are not accepted as an id; every id is accepted as text.
expectTypeOf<string>().not.toExtend<AgentId>();
expectTypeOf<string>().not.toExtend<AccountEmail>();
expectTypeOf<ConversationId>().not.toExtend<AgentId>();
expectTypeOf<RunId>().not.toExtend<ConversationId>();
expectTypeOf<AgentId>().toExtend<string>();
expectTypeOf<AgentRepository["get"]>().parameters.toEqualTypeOf<[AccountEmail, AgentId]>();
