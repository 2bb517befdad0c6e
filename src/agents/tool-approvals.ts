import * as z from "zod";
import { withoutProto } from "../http/schemas.ts";
import { map } from "../table/fields.ts";
import type { Item } from "../table/marshal.ts";
import { rule } from "../shared/violations.ts";

/** When a tool asks before it is run. `first`: until one of its calls has been approved in the conversation. */
export const APPROVAL_MODES = ["always", "first", "never"] as const;
type ApprovalMode = (typeof APPROVAL_MODES)[number];

/** When the tools of an agent ask, by name. `*` stands for all that are not named. */
export type ToolApprovalSettings = Readonly<Record<string, ApprovalMode>>;

/** As many as an agent can have tools. */
const MAX_TOOLS = 200;
const ALL_OTHERS = "*";

/** Forms send lines of `name: mode`. Takes time in proportion to the text. */
function linesAsMap(value: unknown): unknown {
  if (value === "none") return {};
  if (typeof value !== "string") return value ?? undefined;
  if (value.trim() === "") return undefined;
  const lines = value.split("\n").filter((line) => line.trim() !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const [name = "", ...mode] = line.split(":");
      return [name.trim(), mode.join(":").trim()];
    }),
  );
}

/** Validates the modes by tool, or lines of text that state them. Blank values are absent; `none` stands for no modes. */
export const ToolApprovals = z.preprocess(
  (value: Record<string, ApprovalMode> | string | null | undefined) => linesAsMap(value),
  withoutProto(
    z.record(
      z
        .string()
        .regex(/^(?:\*|[A-Za-z][\w-]{0,127})$/u, { error: rule("must be the name of a tool, or `*`.") }),
      z.enum(APPROVAL_MODES),
    ),
  )
    .refine((modes) => Object.keys(modes).length <= MAX_TOOLS, {
      error: rule(`must have at most ${MAX_TOOLS} tools.`),
    })
    .optional(),
);

/** Reads the modes of a stored agent. Unsafe to ignore: a mode that is not known counts as `always`. */
export const approvalsIn = (item: Item, name: string): Record<string, ApprovalMode> =>
  Object.fromEntries(
    Object.entries(map(item, name) ?? {}).map(([tool, mode]) => [
      tool,
      APPROVAL_MODES.find((known) => known === mode) ?? "always",
    ]),
  );

/** Returns when a tool asks. */
export const approvalModeOf = (settings: ToolApprovalSettings, tool: string): ApprovalMode =>
  ownValue(settings, tool) ?? ownValue(settings, ALL_OTHERS) ?? "never";

const ownValue = (settings: ToolApprovalSettings, name: string): ApprovalMode | undefined =>
  Object.hasOwn(settings, name) ? settings[name] : undefined;
