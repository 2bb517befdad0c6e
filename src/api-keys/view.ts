import * as z from "zod";
import type { ApiKey } from "./model.ts";

/** An API key in answers, without its secret. */
export const ApiKeyView = z
  .object({
    key_id: z.string(),
    name: z.string(),
    hint: z.string(),
    scopes: z.array(z.string()),
    agent_ids: z.array(z.string()).nullable(),
    created_at: z.string(),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
  })
  .meta({ id: "ApiKey" });

export const toApiKeyView = (key: ApiKey): z.infer<typeof ApiKeyView> => ({
  key_id: key.id,
  name: key.name,
  hint: `dab_…${key.lastFour}`,
  scopes: [...key.scopes],
  agent_ids: key.agentIds && [...key.agentIds],
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  last_used_at: key.lastUsedAt,
  revoked_at: key.revokedAt,
});
