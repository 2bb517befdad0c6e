import * as z from "zod";
import { agentIdOf, conversationIdOf, knowledgeBaseIdOf, pageIdOf, runIdOf } from "../shared/id-types.ts";
import { isPlausibleId } from "../shared/ids.ts";
import { isObject } from "../shared/json.ts";
import { describeRange, rule } from "../shared/violations.ts";

/** An id that no item has. */
export const NOBODYS_ID = "-";

/** An id in a request. Text that can't be an id becomes `NOBODYS_ID`, so malformed and unknown ids get the same answer. */
export const Id = z.string().transform((id) => (isPlausibleId(id) ? id : NOBODYS_ID));

export const AgentIdText = Id.transform(agentIdOf);
export const ConversationIdText = Id.transform(conversationIdOf);
export const RunIdText = Id.transform(runIdOf);
export const KnowledgeBaseIdText = Id.transform(knowledgeBaseIdOf);
export const PageIdText = Id.transform(pageIdOf);

/** The blank values that an optional member also accepts. */
type Blank<S extends z.ZodType> = undefined extends z.input<S> ? "" | null : never;

/** Treats `""` and null as absent: forms post every value as text, and untouched fields as `""`. */
export const blankAsAbsent = <S extends z.ZodType>(schema: S) =>
  z.preprocess(
    (value: z.input<S> | Blank<S>) => (value === "" || value === null ? undefined : value),
    schema,
  );

/** Refuses an object with a member that is called `__proto__`, which `z.record` drops without a word. */
export const withoutProto = <S extends z.ZodType>(schema: S) =>
  z.preprocess((sent: z.input<S>, context) => {
    if (isObject(sent) && Object.hasOwn(sent, "__proto__"))
      context.addIssue({ code: "invalid_key", origin: "record", issues: [], path: ["__proto__"] });
    return sent;
  }, schema);

/** A number between two bounds, with one sentence for all that can be wrong with it. */
const numberWith = (error: ReturnType<typeof describeRange>, min: number, max: number) =>
  z.number({ error }).min(min, { error }).max(max, { error });

/** A whole number, or text that spells one (forms and queries send text). */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (value: number | string) =>
      typeof value === "string" && /^\s*-?\d{1,15}\s*$/u.test(value) ? Number(value) : value,
    numberWith(describeRange("a whole number", min, max), min, max).int({
      error: describeRange("a whole number", min, max),
    }),
  );

/** A number, or text that spells one (forms and queries send text). */
export const decimal = (min: number, max: number) =>
  z.preprocess(
    (value: number | string) =>
      typeof value === "string" && /^\s*-?\d{1,15}(?:\.\d{1,15})?\s*$/u.test(value) ? Number(value) : value,
    numberWith(describeRange("a number", min, max), min, max),
  );

/** An origin of web pages in the form that browsers send. Plain http is allowed for localhost only. */
const OriginText = z
  .string()
  .max(255)
  .refine(isOrigin, { error: rule("must be an origin such as https://app.example.com.") });

/** Origins of web pages; see `OriginText`. */
export const Origins = z
  .array(OriginText)
  .max(20)
  .transform((origins) => [...new Set(origins)]);

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  // `*` is a letter like any other in an address, and origins are compared exactly: it would match no page.
  if (url?.origin !== text || text.includes("*")) return false;
  return (
    url.protocol === "https:" ||
    (url.protocol === "http:" && /^(localhost|127\.0\.0\.1)$/u.test(url.hostname))
  );
}

/** Like `Origins`, but also accepts other spellings: capital letters, the scheme's own port, a slash at the end. */
export const NormalizedOrigins = z
  .array(z.string().max(255).transform(normalizedOrigin).pipe(OriginText))
  .transform((origins) => [...new Set(origins)])
  // Behind the transformation, so that a text in place of the list is not also too long.
  .pipe(z.array(z.string()).max(20));

/** Returns the origin that text spells, in the form that browsers send, or the text itself if it is none. */
export function normalizedOrigin(text: string): string {
  const url = URL.parse(text.trim());
  return url && `${url.origin}/` === url.href ? url.origin : text;
}

/** For updates: a blank value leaves the member unchanged, `none` removes it. */
export const removable = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value: z.input<S> | "" | "none" | null | undefined) => {
    if (value === "none") return null;
    const isBlank = value === null || (typeof value === "string" && value.trim() === "");
    return isBlank ? undefined : value;
  }, schema.nullable().optional());

/** The schema of a page of a list. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
  });

/** Returns a page of a list in the form of `pageOf`. */
export const toPage = <T>(items: readonly T[], nextCursor: string | null) => ({
  items: [...items],
  next_cursor: nextCursor,
  has_more: nextCursor !== null,
});

/** The query of a list. `cursor` is the `next_cursor` of the previous page. */
export const pageQuery = (defaultLimit: number) =>
  z.object({
    limit: blankAsAbsent(wholeNumber(1, 100).default(defaultLimit)),
    cursor: blankAsAbsent(z.string().max(2_048).optional()),
  });

/** The answer to a deletion that continues after it. */
export const Unfinished = z
  .object({ status: z.literal("deleting"), detail: z.string() })
  .meta({ id: "Unfinished" });

export const UNFINISHED = {
  status: "deleting",
  detail:
    "It is no longer visible to anyone. Not all of its data has been removed yet; the service continues by itself.",
} as const;
