/** The problems that a run may end with. A request that waits for the answer is refused with them. */
export const RUN_PROBLEMS = [
  "provider-auth",
  "provider-quota",
  "provider-rate",
  "provider-overflow",
  "provider-content",
  "provider-unavailable",
  "provider-truncated",
  "provider-stalled",
  "persist-failed",
] as const;
