import type { OpenModel } from "../llm/model.ts";
import { withTimeout } from "../shared/async.ts";
import { DAY_MS, ttlAfter } from "../shared/clock.ts";
import { sha256, toBase64Url } from "../shared/crypto.ts";
import type { AccountEmail } from "../shared/id-types.ts";
import { absentOrExpired, any, type Condition, equals } from "../table/expressions.ts";
import { count, text } from "../table/fields.ts";
import { userPartition } from "../table/keys.ts";
import type { Item, Key } from "../table/marshal.ts";

/** The window of a model, as its server states it without having been exceeded. */
export interface ServedWindow {
  readonly provider: string;
  readonly model: string;
  /** The hash of the server's address, because an address may contain a secret. */
  readonly server: string;
  /** `undefined` if the server does not state it, or has not answered. */
  readonly contextTokens: number | undefined;
  /** When the server was asked, in milliseconds since the epoch. */
  readonly askedAt: number;
}

/** How long a window counts without having been stated again. */
const SERVED_FOR_MS = 7 * DAY_MS;
/** How often a server is asked at most. */
const ASKED_EVERY_MS = DAY_MS;
/** In milliseconds. A server that is slower has failed. */
const ASK_MS = 5_000;

/** The first of the sort keys that a turn reads; provider settings come next. */
export const SERVED_WINDOW_PREFIX = "ProviderServedWindow#";

export const servedWindowKey = (
  accountEmail: AccountEmail,
  { provider, model }: Pick<ServedWindow, "provider" | "model">,
): Key => ({ pk: userPartition(accountEmail), sk: `${SERVED_WINDOW_PREFIX}${provider}#${model}` });

/** Returns the attributes of a window. */
export const servedWindowAttributes = ({
  provider,
  model,
  server,
  contextTokens,
  askedAt,
}: ServedWindow): Item => ({
  entity_type: "ProviderServedWindow",
  provider_name: provider,
  model,
  server,
  ...(contextTokens !== undefined && { context_tokens: contextTokens }),
  asked_at: askedAt,
  ttl: ttlAfter(askedAt, SERVED_FOR_MS),
});

/** Returns the served windows among the items of a user's partition. */
export const servedWindowsFrom = (items: readonly Item[]): readonly ServedWindow[] =>
  items
    .filter((item) => text(item, "sk").startsWith(SERVED_WINDOW_PREFIX))
    .map((item) => ({
      provider: text(item, "provider_name"),
      model: text(item, "model"),
      server: text(item, "server"),
      contextTokens: count(item, "context_tokens") || undefined,
      askedAt: count(item, "asked_at"),
    }));

/** Holds if no window is stored at `nowMs`, or still the one of which the server was asked at `askedAt`. */
export const isAskedLast = (askedAt: number | undefined, nowMs: number): Condition =>
  any(absentOrExpired(nowMs), ...(askedAt === undefined ? [] : [equals("asked_at", askedAt)]));

/** Returns the stored window of a model, unless another server has stated it. */
export async function storedWindow(
  { provider, id, servedWindow }: OpenModel,
  stored: readonly ServedWindow[],
): Promise<ServedWindow | undefined> {
  const found = stored.find((window) => window.provider === provider && window.model === id);
  return found && servedWindow && found.server === (await hashOf(servedWindow.server)) ? found : undefined;
}

/** Stores windows. Returns false if another turn has asked the server meanwhile. */
type SaveWindow = (window: ServedWindow, previousAskedAt: number | undefined) => Promise<boolean>;

/**
 * Asks a model's server for the window, unless it was asked within a day, and stores what it states. That it is being asked
 * is stored first, so that turns at the same time do not ask as well. A window that is known remains if the server does not
 * answer. Throws what the server and the table throw.
 */
export async function refreshServedWindow(
  model: OpenModel,
  stored: readonly ServedWindow[],
  now: number,
  save: SaveWindow,
): Promise<void> {
  const { provider, id, servedWindow } = model;
  if (!servedWindow) return;
  const known = await storedWindow(model, stored);
  if (known && now < known.askedAt + ASKED_EVERY_MS) return;

  const window = {
    provider,
    model: id,
    server: await hashOf(servedWindow.server),
    contextTokens: known?.contextTokens,
    askedAt: now,
  };
  const previous = stored.find((one) => one.provider === provider && one.model === id);
  if (!(await save(window, previous?.askedAt))) return;
  const contextTokens = await withTimeout(ASK_MS, (signal) => servedWindow.ask(signal));
  await save({ ...window, contextTokens }, now);
}

const hashOf = async (server: string): Promise<string> => toBase64Url(await sha256(server));
