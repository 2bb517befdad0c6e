/** What an MCP client can be allowed to do, in words for people. */
export const SCOPE_TEXTS = [
  {
    scope: "conversations:write",
    label: "Send the agent messages in your name, which count towards your plan",
  },
  { scope: "memory:read", label: "Read what the agent remembers about you" },
  { scope: "memory:write", label: "Change what the agent remembers about you" },
] as const;
