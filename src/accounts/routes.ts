import { Hono } from "hono";
import * as z from "zod";
import { ndjson } from "../http/ndjson.ts";
import { operation } from "../http/openapi.ts";
import type { AppEnv } from "../access/env.ts";
import { requireAccess } from "../access/require-access.ts";

const DeletionRequested = z
  .object({ message: z.string(), status: z.enum(["processing", "completed"]), detail: z.string() })
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

const DETAILS = {
  processing:
    "Your account is closed. Removing its data usually takes less than a minute, and up to two hours if an agent was still answering.",
  completed: "Nothing of the account is left.",
} as const;

export const accountRoutes = new Hono<AppEnv>()
  .get(
    "/me/export",
    operation("exportAccount", { 200: "json-lines" }),
    requireAccess("user", { account: "before" }),
    (c) => {
      const lines = c.var.deps.exportService.account(c.var.scope.accountEmail);
      return ndjson(lines, { "content-disposition": 'attachment; filename="account.ndjson"' });
    },
  )
  .delete(
    "/me",
    operation("deleteAccount", {
      200: DeletionRequested,
    }),
    requireAccess("user", { account: "itself" }),
    async (c) => {
      const { status } = await c.var.deps.accountService.requestDeletion(c.var.scope);
      return c.json({ message: MESSAGES[status], status, detail: DETAILS[status] }, 200);
    },
  )
  .get(
    "/me/deletion",
    operation("getAccountDeletion", { 200: DeletionView }),
    requireAccess("user", { account: "itself" }),
    async (c) => {
      const { status, requestedAt, completedAt } = await c.var.deps.accountService.deletionOf(c.var.scope);
      return c.json({ status, requested_at: requestedAt, completed_at: completedAt }, 200);
    },
  );
