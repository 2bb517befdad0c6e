import * as z from "zod";
import { ndjson } from "../http/ndjson.ts";
import { operation } from "../http/openapi.ts";
import { userRouter } from "../http/router.ts";

const DeletionRequested = z
  .object({ message: z.string(), status: z.enum(["processing", "completed"]) })
  .meta({ id: "DeletionRequested" });

const DeletionView = z
  .object({
    status: z.enum(["processing", "completed"]),
    requested_at: z.string().nullable(),
    completed_at: z.string().nullable(),
  })
  .meta({ id: "AccountDeletion" });

const MESSAGES = {
  processing: "Account deletion initiated",
  completed: "Account deleted",
} as const;

export const accountRoutes = userRouter()
  .get(
    "/me/export",
    operation(
      "exportAccount",
      "Everything the account owns, as lines of JSON; the last one is of type `end`, or the export is not whole",
      { 200: "json-lines" },
      { access: ["user"], account: "before" },
    ),
    (c) => {
      const lines = c.var.deps.exportAccount(c.var.space.owner);
      return ndjson(lines, { "content-disposition": 'attachment; filename="account.ndjson"' });
    },
  )
  .delete(
    "/me",
    operation(
      "deleteAccount",
      "Delete the account with everything it owns; its tokens are dead at once",
      { 200: DeletionRequested },
      { access: ["user"], account: "itself" },
    ),
    async (c) => {
      const { status } = await c.var.deps.accountService.requestDeletion(c.var.space);
      return c.json({ message: MESSAGES[status], status }, 200);
    },
  )
  .get(
    "/me/deletion",
    operation(
      "getAccountDeletion",
      "How the deletion of the account goes; asked with a token of that account, until it expires",
      { 200: DeletionView },
      { access: ["user"], account: "itself" },
    ),
    async (c) => {
      const { status, requestedAt, completedAt } = await c.var.deps.accountService.deletionOf(c.var.space);
      return c.json({ status, requested_at: requestedAt, completed_at: completedAt }, 200);
    },
  );
