import { UnknownModel } from "../llm/errors.ts";
import { isOffered } from "../llm/listed-models.ts";
import { isShown, type ModelInfo, type Provider, type ProviderContext } from "../llm/provider.ts";
import { AppError, type ErrorCode } from "../shared/errors.ts";
import { withTimeout } from "../shared/async.ts";
import type { Credentials } from "./model.ts";

const TRIAL_MS = 15_000;
/** In tokens. Some models refuse a lower maximum. */
const TRIAL_TOKENS = 16;

/** The result of testing credentials. `message` is for the user. */
export interface Trial {
  readonly ok: boolean;
  readonly message: string;
  /** What failed; null on success. */
  readonly code: ErrorCode | null;
  /** What the provider did with the credentials: listed its models, or had a model answer. Null on failure. */
  readonly checked: "list" | "message" | null;
}

/** What a test of credentials may ask. */
export interface TrialQuestion {
  /** The model that the user wants tested. Then nothing else is asked. */
  readonly model: string | undefined;
  /**
   * Models of the user's agents. If `model` is missing, one of them that is listed is asked, or else the default model of the
   * credentials, or else any of them.
   */
  readonly used: readonly string[];
}

/**
 * Tests credentials within 15 seconds: asks for the list of models and, if a model is known, for a short answer of it.
 * Only an answer shows that the key is accepted, because some providers list their models for any key. Never throws:
 * failures are part of the result.
 */
export async function tryProvider(
  provider: Provider,
  credentials: Credentials,
  { model, used }: TrialQuestion,
  context: ProviderContext,
): Promise<Trial> {
  try {
    return await withTimeout(TRIAL_MS, async (signal) =>
      model === undefined ? listAndAsk(signal) : answered(await askModel(model, signal)),
    );
  } catch (error) {
    return failure(error);
  }

  async function listAndAsk(signal: AbortSignal): Promise<Trial> {
    const models = await list(signal);
    // Models of agents may be those of an earlier address.
    const ids = (models ?? []).map(({ id }) => id);
    const chosen = used.find((id) => isOffered(id, ids)) ?? credentials["model"] ?? used[0];
    if (!models) {
      if (chosen !== undefined) return answered(await askModel(chosen, signal));
      return failed(
        "This address has no list of models. Check it, or name a model to test.",
        "provider-unavailable",
      );
    }
    const listed = `${provider.label} lists ${models.length} ${models.length === 1 ? "model" : "models"}`;
    const known = chosen ?? provider.models.find(({ id }) => ids.includes(id))?.id;
    if (known !== undefined) return answered(`${listed}. ${await askModel(known, signal)}`);
    return {
      ok: true,
      message: `${listed}. It may do so without checking the key; a trial message to a model says more.`,
      code: null,
      checked: "list",
    };
  }

  /** Returns `undefined` for a server that answers messages but has no list. */
  async function list(signal: AbortSignal): Promise<readonly ModelInfo[] | undefined> {
    try {
      return (await provider.listModels(credentials, context, signal)).filter(isShown);
    } catch (error) {
      if (error instanceof AppError && error.cause instanceof UnknownModel) return undefined;
      throw error;
    }
  }

  async function askModel(id: string, signal: AbortSignal): Promise<string> {
    const opened = provider.open(credentials, id, { maxOutputTokens: TRIAL_TOKENS }, context);
    const messages = [{ role: "user" as const, content: "Say hello." }];
    // The first chunk proves that the model answers.
    for await (const _chunk of opened.stream({ messages, tools: [] }, signal)) break;
    return `The model '${opened.id}' answers.`;
  }
}

const answered = (message: string): Trial => ({ ok: true, message, code: null, checked: "message" });

/** A provider's own message may quote parts of a key, so only our own sentences are returned. */
function failure(error: unknown): Trial {
  if (error instanceof AppError) return failed(error.message, error.code);
  if (error instanceof DOMException && error.name === "TimeoutError")
    return failed("The model provider did not answer in time.", "provider-stalled");
  return failed("The model provider can't be reached.", "provider-unavailable");
}

const failed = (message: string, code: ErrorCode): Trial => ({ ok: false, message, code, checked: null });
