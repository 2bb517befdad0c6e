import * as z from "zod";
import { isEndUserId } from "../access/access-scope.ts";
import type { EndUser } from "./model.ts";

export const EndUserView = z
  .object({ end_user_id: z.string(), agent_id: z.string(), created_at: z.string() })
  .meta({ id: "EndUser" });

/** An end user's id in a path. Text that can't be one becomes an id that nobody has, so both get a 404. */
export const EndUserId = z.string().transform((id) => (isEndUserId(id) ? id : "!"));

export const toEndUserView = ({ id, agentId, createdAt }: EndUser): z.infer<typeof EndUserView> => ({
  end_user_id: id,
  agent_id: agentId,
  created_at: createdAt,
});
