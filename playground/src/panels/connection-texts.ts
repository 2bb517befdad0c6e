/** What an MCP client can be allowed to do, in words for people. */
export const SCOPE_TEXTS = [
  { scope: "conversations:write", label: "Send it messages in your name, which count towards your plan" },
  { scope: "memory:read", label: "Read what it remembers about you" },
  { scope: "memory:write", label: "Change what it remembers about you" },
] as const;
