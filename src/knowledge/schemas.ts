import * as z from "zod";
import { blankAsAbsent, KnowledgeBaseIdText } from "../http/schemas.ts";
import { type Form, rulesOf } from "../shared/forms.ts";
import { isOneLine } from "../shared/text.ts";
import { rule } from "../shared/violations.ts";
import { MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS } from "./model.ts";

const Name = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME_CHARS)
  .refine(isOneLine, { error: rule("must be one line of text, without control characters.") });
const Description = z.string().trim().max(MAX_DESCRIPTION_CHARS);

/** The body that creates a knowledge base. */
export const NewKnowledgeBase = z
  .strictObject({ name: Name, description: blankAsAbsent(Description.optional()) })
  .meta({ id: "NewKnowledgeBase" });

/** The body that updates a knowledge base. An empty description removes it. */
export const KnowledgeBaseChanges = z
  .strictObject({
    name: blankAsAbsent(Name.optional()),
    description: Description.transform((text) => text || null)
      .nullable()
      .optional(),
  })
  .meta({ id: "KnowledgeBaseChanges" });

export const BaseParam = z.object({ kbId: KnowledgeBaseIdText });

/** The form that creates a knowledge base. */
export const createKnowledgeBaseForm: Form = {
  form_name: "Create Knowledge Base",
  submit_path: "/knowledge-bases",
  form_inputs: [
    {
      input_type: "text",
      name: "name",
      label: "Name",
      attr: { placeholder: "Product documentation" },
      ...rulesOf(Name),
    },
    {
      input_type: "text_area",
      name: "description",
      label: "Description",
      attr: { placeholder: "What the pages are about" },
      ...rulesOf(Description.optional()),
    },
  ],
};
