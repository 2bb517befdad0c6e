import * as z from "zod";
import { isPlausibleId } from "../shared/ids.ts";

/** An id that nothing has. */
export const NOBODYS_ID = "-";

/** An id in a request. What can't be one is read as one that nothing has, so that both are answered alike. */
export const Id = z.string().transform((id) => (isPlausibleId(id) ? id : NOBODYS_ID));

/** Forms post texts only, and untouched fields as `""`: an empty text is an absent member. */
export const blankAsAbsent = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => (value === "" || value === null ? undefined : value), schema);

/** A whole number, also as the text of one. */
export const wholeNumber = (min: number, max: number) =>
  z.preprocess(
    (value) => (typeof value === "string" && /^\s*-?\d{1,15}\s*$/u.test(value) ? Number(value) : value),
    z.number().int().min(min).max(max),
  );

/** A number, also as the text of one. */
export const decimal = (min: number, max: number) =>
  z.preprocess(
    (value) =>
      typeof value === "string" && /^\s*-?\d{1,15}(?:\.\d{1,15})?\s*$/u.test(value) ? Number(value) : value,
    z.number().min(min).max(max),
  );

/** The origins of web pages, as browsers write them; those without encryption on one's own machine only. */
export const Origins = z
  .array(z.string().max(255).refine(isOrigin, { error: "Not an origin such as https://app.example.com" }))
  .max(20)
  .transform((origins) => [...new Set(origins)]);

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url?.origin !== text) return false;
  return (
    url.protocol === "https:" ||
    (url.protocol === "http:" && /^(localhost|127\.0\.0\.1)$/u.test(url.hostname))
  );
}

/** Where blank means that something stays as it is, `none` takes it away. */
export const removable = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => {
    if (value === "none") return null;
    const isBlank = value === null || (typeof value === "string" && value.trim() === "");
    return isBlank ? undefined : value;
  }, schema.nullable().optional());
/** A page of a list, in the wrapper that clients know. */
export const pageOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    next_cursor: z.string().nullable(),
    has_more: z.boolean(),
    total_count: z.null(),
  });

/** A page's members in their wrapper. */
export const toPage = <T>(items: readonly T[], nextCursor: string | null) => ({
  items: [...items],
  next_cursor: nextCursor,
  has_more: nextCursor !== null,
  total_count: null,
});

/** The query of a list; cursors come from the page before. */
export const pageQuery = (defaultLimit: number) =>
  z.object({
    limit: blankAsAbsent(wholeNumber(1, 100).default(defaultLimit)),
    cursor: blankAsAbsent(z.string().max(2_048).optional()),
  });

/** What a deletion answers that was begun and needs another request to go on. */
export const Unfinished = z
  .object({ status: z.literal("deleting"), detail: z.string() })
  .meta({ id: "Unfinished" });

export const UNFINISHED = {
  status: "deleting",
  detail:
    "It is gone for everybody, but not everything that belongs to it has been removed yet. Repeat the request.",
} as const;
