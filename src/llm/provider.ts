import * as z from "zod";
import type { AmendmentCache } from "./amendments.ts";
import type { FactsProvider } from "./model-facts.ts";
import type { Embedder } from "./embeddings.ts";
import { AppError } from "../shared/errors.ts";
import type { OutboundPolicy, ResolveHost } from "../shared/outbound.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";
import { withSimilarNames } from "./similar-models.ts";
import type { AiBinding } from "./workers-ai.ts";

/** What provider adapters depend on: network, time limits, and the policy for outgoing requests. */
export interface ProviderContext extends OutboundPolicy {
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
  readonly resolve: ResolveHost;
  readonly now: () => number;
  /** What servers have refused before. */
  readonly amendments: AmendmentCache;
  /** Cloudflare's `AI` binding, or `undefined` if the deployment has none. */
  readonly ai: AiBinding | undefined;
  /** The base URL of the demo model's server. `undefined` outside local development. */
  readonly demoModelUrl: string | undefined;
}

/** A model to choose from. */
export interface ModelInfo {
  /** The id in the provider's API. */
  readonly id: string;
  readonly name: string;
  /** The context window in tokens, if it is known. */
  readonly contextTokens?: number;
  /** Whether the model can call tools, if it is known. */
  readonly tools?: boolean;
  /** Whether the provider lists it although it does not chat. Such models are accepted, but not offered. */
  readonly isHidden?: boolean;
}

/** Whether a model is offered to users. */
export const isShown = ({ isHidden }: ModelInfo): boolean => isHidden !== true;

/** An agent's settings for its model. An absent setting means the provider's default. */
export interface ModelSettings {
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

/** What a form shows for a credential, in addition to the rules in its schema. */
export interface CredentialField {
  readonly title: string;
  readonly help?: string;
  readonly placeholder?: string;
  /** Secrets are never returned after they have been stored. */
  readonly secret?: boolean;
  /** Whether a change keeps the stored secrets. Any other field may redirect them, so a change requires them again. */
  readonly keepsSecrets?: boolean;
  /** The only allowed values. */
  readonly options?: readonly Option[];
  /** Suggested values; others may be typed. `localPresets` are offered in local development only. */
  readonly presets?: readonly Option[];
  readonly localPresets?: readonly Option[];
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** An API key that is safe to send in a header. White space around it is removed, because forms often add it. */
export const keyText = z
  .string()
  .trim()
  .regex(/^[\u0021-\u007e]{1,4096}$/u, "Enter a key without spaces or non-ASCII characters");

/** Attaches a form field's description to a schema. `credentialField` reads it back. */
export const described = <T extends z.ZodType>(schema: T, field: CredentialField): T =>
  schema.meta({ ...field });

/** Returns the description that `described` attached to a schema. */
export function credentialField(schema: z.ZodType): CredentialField {
  const meta = schema.meta();
  return { ...meta, title: meta?.title ?? "" };
}

/** A model provider: the credentials it needs, and how to open its models. */
export interface Provider {
  /** The name that agents and settings store. */
  readonly name: string;
  readonly label: string;
  /**
   * Validates what a user enters, after blank fields have been removed. Every field is a string with a
   * `CredentialField` attached.
   */
  readonly credentials: z.ZodObject;
  /** Offered if the live list is unavailable. Each provider's file states the date of its list. */
  readonly models: readonly ModelInfo[];
  /** Where its models are described, if it has a section of its own. */
  readonly facts?: FactsProvider;
  /**
   * Returns why credentials that match the schema can't be used, as a sentence for the user, or `undefined` if they
   * can. An example is a blocked address.
   */
  validateCredentials(credentials: unknown, context: ProviderContext): string | undefined;
  /** Opens a model without sending anything. Throws `provider-auth` if the credentials do not match the schema. */
  open(
    credentials: unknown,
    model: string | null,
    settings: ModelSettings,
    context: ProviderContext,
  ): ChatModel;
  /** Returns the models that are available with these credentials. Throws `AppError` with a `provider-…` code. */
  listModels(
    credentials: unknown,
    context: ProviderContext,
    signal: AbortSignal,
  ): Promise<readonly ModelInfo[]>;
  /** Whether the list has all models that can be used with these credentials, except for aliases. */
  listsAll(credentials: unknown): boolean;
  /**
   * Returns windows in tokens that the server states elsewhere than in its list, by model. Throws the signal's reason only.
   */
  servedWindows(
    credentials: unknown,
    models: readonly string[],
    context: ProviderContext,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  /** Returns an embedder, or `undefined` if the provider or these credentials offer none. */
  openEmbedder(credentials: unknown, context: ProviderContext): Embedder | undefined;
}

/** A provider as its file defines it, with typed credentials. */
export interface ProviderDefinition<S extends z.ZodObject> {
  readonly name: string;
  readonly label: string;
  readonly credentials: S;
  readonly models: readonly ModelInfo[];
  readonly facts?: FactsProvider;
  /** See `Provider.validateCredentials`. */
  validateCredentials?(credentials: z.infer<S>, context: ProviderContext): string | undefined;
  open(
    credentials: z.infer<S>,
    model: string | null,
    settings: ModelSettings,
    context: ProviderContext,
  ): ChatModel;
  listModels(
    credentials: z.infer<S>,
    context: ProviderContext,
    signal: AbortSignal,
  ): Promise<readonly ModelInfo[]>;
  /** See `Provider.listsAll`. Absent means no. */
  listsAll?(credentials: z.infer<S>): boolean;
  /** See `Provider.servedWindows`. Absent if the server states windows in its list only. */
  servedWindows?(
    credentials: z.infer<S>,
    models: readonly string[],
    context: ProviderContext,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, number>>;
  openEmbedder?(credentials: z.infer<S>, context: ProviderContext): Embedder | undefined;
}

/** Defines a provider that validates credentials before each use, because stored ones may be older than the schema. */
export function defineProvider<S extends z.ZodObject>(definition: ProviderDefinition<S>): Provider {
  const { name, label, credentials, models, facts } = definition;

  function check(raw: unknown): z.infer<S> {
    const result = credentials.safeParse(raw);
    if (result.success) return result.data;
    // Security: only the paths are logged, because zod's issues may contain the values.
    const fields = result.error.issues.map(({ path }) => path.join("."));
    throw new AppError(
      "provider-auth",
      "The stored credentials of the model provider are incomplete. Please enter them again in the settings.",
      { cause: new Error(`Invalid credentials for ${name}: ${fields.join(", ")}`) },
    );
  }

  return {
    name,
    label,
    credentials,
    models,
    ...(facts && { facts }),
    validateCredentials: (raw, context) => definition.validateCredentials?.(check(raw), context),
    open(raw, model, settings, context) {
      const values = check(raw);
      const opened = definition.open(values, model, settings, context);
      return withSimilarNames(opened, async (signal) =>
        (await definition.listModels(values, context, signal)).filter(isShown),
      );
    },
    listModels: async (raw, context, signal) => definition.listModels(check(raw), context, signal),
    listsAll: (raw) => definition.listsAll?.(check(raw)) ?? false,
    servedWindows: async (raw, models, context, signal) =>
      (await definition.servedWindows?.(check(raw), models, context, signal)) ?? new Map<string, number>(),
    openEmbedder: (raw, context) => definition.openEmbedder?.(check(raw), context),
  };
}
