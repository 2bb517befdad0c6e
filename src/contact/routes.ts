import { Hono } from "hono";
import * as z from "zod";
import { limitBursts } from "../access/burst-limit.ts";
import type { AppEnv } from "../access/env.ts";
import { publicAccess } from "../access/require-access.ts";
import { operation } from "../http/openapi.ts";
import { validate } from "../http/validate.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { CONTACT_TYPES } from "./model.ts";

const ContactBody = z
  .strictObject({
    type: z.enum(CONTACT_TYPES),
    // Webhooks pass the subject on as a header of an e-mail, in which a line break would begin another header.
    subject: z
      .string()
      .trim()
      .min(5)
      .max(200)
      .refine(isOneLine, { error: rule("must be one line of text.") }),
    email: z.email().max(254),
    description: z.string().trim().min(20).max(5_000),
  })
  .meta({ id: "ContactSubmission" });

const ContactAnswer = z
  .object({
    success: z.literal(true),
    message: z.string(),
    issue_number: z.null(),
    issue_url: z.null(),
  })
  .meta({ id: "ContactAnswer" });

export const contactRoutes = new Hono<AppEnv>().post(
  "/submit",
  operation("submitContact", { 200: ContactAnswer }),
  publicAccess,
  limitBursts("public"),
  validate("json", ContactBody),
  async (c) => {
    await c.var.deps.contactService.submit(c.req.valid("json"), c.req.header("cf-connecting-ip"));
    return c.json(
      {
        success: true,
        message: "Thank you for your submission! We'll get back to you soon.",
        issue_number: null,
        issue_url: null,
      } as const,
      200,
    );
  },
);
