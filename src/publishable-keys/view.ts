import * as z from "zod";
import type { PublishableKey } from "./model.ts";

/** A publishable key in answers. Its value is no secret. */
export const PublishableKeyView = z
  .object({
    key_id: z.string(),
    agent_id: z.string(),
    public_key: z.string(),
    name: z.string(),
    allowed_origins: z.array(z.string()),
    is_active: z.boolean(),
    requires_sign_in: z.boolean(),
    created_by: z.string(),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
    request_count: z.number(),
  })
  .meta({ id: "PublishableKey" });

/** A key without what its owner has set, for programs that may write but not read agents. */
export const PublishableKeyReference = PublishableKeyView.pick({
  key_id: true,
  agent_id: true,
  public_key: true,
  created_at: true,
}).meta({ id: "PublishableKeyReference" });

export const toPublishableKeyView = (key: PublishableKey): z.infer<typeof PublishableKeyView> => ({
  key_id: key.id,
  agent_id: key.agentId,
  public_key: key.publicKey,
  name: key.name,
  allowed_origins: [...key.allowedOrigins],
  is_active: key.isActive,
  requires_sign_in: key.requiresSignIn,
  created_by: key.accountEmail,
  created_at: key.createdAt,
  last_used_at: key.lastUsedAt,
  request_count: key.requestCount,
});
