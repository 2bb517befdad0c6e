import type { Context } from "hono";
import { isPermitted, type Who } from "../access/require-access.ts";
import type { UserEnv } from "../access/env.ts";
import type { Agent } from "../agents/model.ts";

/** Who may call which tools: the same callers as of the native routes that do the same. */
export const TOOL_ACCESS = {
  chat: ["user", "conversations:write", "end-user"],
  readMemory: ["user", "memory:read"],
  writeMemory: ["user", "memory:write"],
} as const satisfies Record<string, readonly Who[]>;

/** An MCP request of a caller, and the agent that it is about. */
export interface McpCall {
  readonly c: Context<UserEnv>;
  readonly agent: Agent;
  /** Whether the client speaks a revision in which it cancels a request by closing its stream. */
  readonly closesToCancel: boolean;
}

/** Whether the caller may use these tools. Others are neither listed nor callable. */
export function mayUse({ c }: Pick<McpCall, "c">, tools: keyof typeof TOOL_ACCESS): boolean {
  const { caller } = c.var;
  const access: readonly Who[] = TOOL_ACCESS[tools];
  if (caller.kind === "mcp-client") return caller.scopes.some((scope) => access.includes(scope));
  return isPermitted(access, caller);
}
