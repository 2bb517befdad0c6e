import * as z from "zod";
import { EXAMPLE, type FeatureDocs, type StreamDocs } from "../http/docs.ts";
import { exportTypes } from "./export-view.ts";

const Items = z
  .looseObject({ type: z.enum(exportTypes()).describe("What the line describes.") })
  .describe("One thing, with the members that the routes about it use. Secrets are left out.")
  .meta({ id: "ExportedItem" });

const Begin = z
  .strictObject({
    type: z.literal("export").describe("The type of the line."),
    version: z.number().int().describe("The version of the format."),
    account: z.string().describe("The e-mail address of the account."),
    created_at: z.string().describe("When the export began (UTC)."),
  })
  .describe("The first line of an account's export.")
  .meta({ id: "ExportBegin" });

const End = z
  .strictObject({
    type: z.literal("end").describe("The type of the line."),
    items: z
      .number()
      .int()
      .describe("How many lines came before, without the first one of an account's export."),
  })
  .describe("The last line of a complete export.")
  .meta({ id: "ExportEnd" });

const Failure = z
  .strictObject({
    type: z.literal("error").describe("The type of the line."),
    code: z.string().describe("The code of the problem, as in problem documents."),
    detail: z.string().describe("A sentence for people."),
    retryable: z.boolean().describe("Whether exporting again may help."),
  })
  .describe("The last line of an export that failed.")
  .meta({ id: "ExportFailure" });

/** The lines of an export. */
const EXPORT: StreamDocs = {
  id: "ExportLine",
  description: "One line of an export.",
  discriminator: "type",
  events: [Begin, Items, Failure, End],
  examples: [
    { type: "export", version: 2, account: EXAMPLE.email, created_at: EXAMPLE.at },
    {
      type: "memory",
      memory_id: EXAMPLE.memoryId,
      content: "Alice has a cat called Tom.",
      created_at: EXAMPLE.at,
    },
    { type: "error", code: "unavailable", detail: "The database does not answer.", retryable: true },
    { type: "end", items: 1 },
  ],
};

/** The texts and examples of exports and of the account's deletion. */
export const accountDocs: FeatureDocs = {
  operations: {
    exportAccount: {
      tag: "Account",
      summary: "Export everything the account owns",
      description:
        "Streams one JSON object per line: the account, its agents, conversations, messages, memories, knowledge bases and everything of its end users, without secrets. The export is complete only if its last line has the type `end`; otherwise repeat it.",
      stream: EXPORT,
    },
    exportEndUser: {
      tag: "Agents",
      summary: "Export everything about an end user",
      description:
        "Streams one JSON object per line: the end user's conversations, messages and memories with the agent. The export is complete only if its last line has the type `end`; otherwise repeat it.",
      stream: EXPORT,
      problems: ["not-found"],
    },
    deleteAccount: {
      tag: "Account",
      summary: "Delete the account and everything it owns",
      description:
        "Closes the account at once: its tokens and API keys become invalid. Its data is then removed in the background, usually within a minute, and within two hours if an agent is still answering. This can't be undone. Follow the progress with `getAccountDeletion`; repeating the request changes nothing.",
      answers: {
        200: {
          message: "Account deletion initiated",
          status: "processing",
          detail:
            "Your account is closed. Removing its data usually takes less than a minute, and up to two hours if an agent was still answering.",
        },
      },
    },
    getAccountDeletion: {
      tag: "Account",
      summary: "Get the progress of the account's deletion",
      description:
        "Says whether the account's data has been removed. It accepts a token of the deleted account until the token expires.",
      answers: { 200: { status: "processing", requested_at: EXAMPLE.at, completed_at: null } },
      problems: ["not-found"],
    },
  },
  schemas: {
    DeletionRequested: {
      description: "The deletion of an account that was requested.",
      fields: { status: "`completed` if nothing of the account is left." },
    },
    AccountDeletion: {
      description: "The progress of an account's deletion.",
      fields: {
        status: "`completed` if nothing of the account is left.",
        requested_at: { description: "When it was requested (UTC); null if unknown.", format: "date-time" },
      },
    },
  },
};
