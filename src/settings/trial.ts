import type { Provider, ProviderContext } from "../llm/provider.ts";
import { AppError, type ErrorCode } from "../shared/errors.ts";
import { withinTime } from "../shared/within-time.ts";
import type { Credentials } from "./model.ts";

const TRIAL_MS = 15_000;
/** One would do, but some models refuse so few. */
const TRIAL_TOKENS = 16;

/** How a provider took credentials, in words for their user. */
export interface Trial {
  readonly ok: boolean;
  readonly message: string;
  /** What went wrong; null where nothing did. */
  readonly code: ErrorCode | null;
}

/** Asks a provider for one cheap thing. */
export async function tryProvider(
  provider: Provider,
  credentials: Credentials,
  model: string | undefined,
  context: ProviderContext,
): Promise<Trial> {
  try {
    const message = await withinTime(TRIAL_MS, (signal) =>
      model === undefined ? countModels(signal) : hearFrom(model, signal),
    );
    return { ok: true, message, code: null };
  } catch (error) {
    return failure(error);
  }

  async function countModels(signal: AbortSignal): Promise<string> {
    const models = await provider.listModels(credentials, context, signal);
    return `${provider.label} accepts these credentials and lists ${models.length} models.`;
  }

  async function hearFrom(id: string, signal: AbortSignal): Promise<string> {
    const opened = provider.open(credentials, id, { maxOutputTokens: TRIAL_TOKENS }, context);
    const messages = [{ role: "user" as const, content: "Say hello." }];
    // The first piece of an answer says enough.
    for await (const _chunk of opened.stream({ messages, tools: [] }, signal)) break;
    return `The model '${opened.id}' answers.`;
  }
}

/** What a provider says itself may hold parts of a key: only sentences of our own are passed on. */
function failure(error: unknown): Trial {
  if (error instanceof AppError) return { ok: false, message: error.message, code: error.code };
  if (error instanceof DOMException && error.name === "TimeoutError")
    return { ok: false, message: "The model provider did not answer in time.", code: "provider-stalled" };
  return { ok: false, message: "The model provider can't be reached.", code: "provider-unavailable" };
}
