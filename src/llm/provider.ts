import * as z from "zod";
import type { Embedder } from "./embeddings.ts";
import { WORDS_PER_TOKEN } from "./estimate.ts";
import { AppError } from "../shared/errors.ts";
import type { OutboundPolicy, ResolveHost } from "../shared/outbound.ts";
import type { ChatModel, ModelTimeouts } from "./model.ts";

/** What an adapter may reach and how long it may take. */
export interface ProviderContext extends OutboundPolicy {
  readonly fetch: typeof fetch;
  readonly timeouts: ModelTimeouts;
  readonly resolve: ResolveHost;
  readonly now: () => number;
  /** The base URL of the demo model's server; nothing outside local development. */
  readonly demoModelUrl: string | undefined;
}

/** A model that can be chosen. */
export interface ModelInfo {
  /** As the provider's API wants it. */
  readonly id: string;
  readonly name: string;
  /** How many tokens it reads at most, where that is known. */
  readonly contextTokens?: number;
}

/** What an agent says about its model. */
export interface ModelSettings {
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
}

/** What a form needs to know of a credential beside what its schema says. */
export interface CredentialField {
  readonly title: string;
  readonly help?: string;
  readonly placeholder?: string;
  /** Never shown again once it is stored. */
  readonly secret?: boolean;
  /** Has no say in where the secrets are sent; of any other field, a change asks for them again. */
  readonly keepsSecrets?: boolean;
  /** The values to choose from. */
  readonly options?: readonly Option[];
  /** Values to begin with; others may be typed. Those of `localPresets` are of use in local development only. */
  readonly presets?: readonly Option[];
  readonly localPresets?: readonly Option[];
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** A key as it goes into a header: forms leave white space around it, and nothing else belongs there. */
export const keyText = z
  .string()
  .trim()
  .regex(/^[\u0021-\u007e]{1,4096}$/u, "It contains characters that no key has");

/** A schema that carries what a form says of it; `credentialField` reads it back. */
export const described = <T extends z.ZodType>(schema: T, field: CredentialField): T =>
  schema.meta({ ...field });

/** What `described` said of a schema. */
export function credentialField(schema: z.ZodType): CredentialField {
  const said = schema.meta();
  return { ...said, title: said?.title ?? "" };
}

/** One provider: what it asks of the user, and how its models are opened. */
export interface Provider {
  /** As agents and settings store it. */
  readonly name: string;
  readonly label: string;
  /**
   * Checks what a user enters; blank fields are left out before. Every field of its shape is a string that carries a
   * `CredentialField`.
   */
  readonly credentials: z.ZodObject;
  /** What to offer where the live list can't be had; the file says of which day it is. */
  readonly models: readonly ModelInfo[];
  /** What stands against credentials that fit their schema, as a sentence for the user: an address out of bounds. */
  objection(credentials: unknown, context: ProviderContext): string | undefined;
  /** Sends nothing yet. Throws `provider-auth` when the credentials don't fit the schema (any more). */
  open(
    credentials: unknown,
    model: string | null,
    settings: ModelSettings,
    context: ProviderContext,
  ): ChatModel;
  /** The models that these credentials reach. Throws `AppError` with a `provider-…` code. */
  listModels(
    credentials: unknown,
    context: ProviderContext,
    signal: AbortSignal,
  ): Promise<readonly ModelInfo[]>;
  /** What turns texts into vectors with these credentials; nothing where the provider does not offer it. */
  openEmbedder(credentials: unknown, context: ProviderContext): Embedder | undefined;
}

/** A provider as its file writes it: with credentials that are checked. */
export interface ProviderDefinition<S extends z.ZodObject> {
  readonly name: string;
  readonly label: string;
  readonly credentials: S;
  readonly models: readonly ModelInfo[];
  objection?(credentials: z.infer<S>, context: ProviderContext): string | undefined;
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
  openEmbedder?(credentials: z.infer<S>, context: ProviderContext): Embedder | undefined;
}

/** Puts the check before each use: stored credentials may be older than the schema. */
export function defineProvider<S extends z.ZodObject>(definition: ProviderDefinition<S>): Provider {
  const { name, label, credentials, models } = definition;

  function check(raw: unknown): z.infer<S> {
    const result = credentials.safeParse(raw);
    if (result.success) return result.data;
    // Only where, not what: zod's issues may hold the values.
    const fields = result.error.issues.map(({ path }) => path.join("."));
    throw new AppError(
      "provider-auth",
      "The stored credentials of the model provider are incomplete. Please enter them again in the settings.",
      { cause: new Error(`Credentials of ${name} don't fit: ${fields.join(", ")}`) },
    );
  }

  return {
    name,
    label,
    credentials,
    models,
    objection: (raw, context) => definition.objection?.(check(raw), context),
    open: (raw, model, settings, context) => definition.open(check(raw), model, settings, context),
    listModels: async (raw, context, signal) => definition.listModels(check(raw), context, signal),
    openEmbedder: (raw, context) => definition.openEmbedder?.(check(raw), context),
  };
}

/** How many words of context may be counted on in a window of so many tokens. */
export const contextWordsOf = (tokens: number): number => Math.floor(tokens * WORDS_PER_TOKEN);
