import * as z from "zod";
import { bedrockError, bedrockModel, signedRequest, type AwsCredentials } from "./bedrock.ts";
import { bedrockEmbedder } from "./bedrock-embeddings.ts";
import { BEDROCK_DEFAULT_MODEL, BEDROCK_MODELS, bedrockIdOf } from "./bedrock-models.ts";
import { contextTokensOf } from "./model-facts.ts";
import { fetchJson } from "./exchange.ts";
import { isObject, type Json, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { defineProvider, described, keyText, type ModelInfo, type ProviderContext } from "./provider.ts";

/** The region of the legacy Python service. Settings stored by it name none. */
const DEFAULT_REGION = "eu-west-2";

const credentials = z
  .object({
    access_key: described(keyText.optional(), { title: "AWS Access Key", secret: true }),
    secret_key: described(keyText.optional(), { title: "AWS Secret Key", secret: true }),
    api_key: described(keyText.optional(), {
      title: "Bedrock API Key",
      help: "Enter it instead of an access key and a secret key.",
      secret: true,
    }),
    // Security: it becomes part of a host name, so only the form of AWS region names is accepted.
    region: described(
      z
        .string()
        .trim()
        .regex(/^[a-z]{2}(?:-[a-z]{2,12}){1,2}-\d$/u, "Enter an AWS region, such as eu-west-2")
        .default(DEFAULT_REGION),
      { title: "AWS Region", placeholder: DEFAULT_REGION },
    ),
  })
  .refine(
    ({ access_key, secret_key, api_key }) =>
      api_key !== undefined || (access_key !== undefined && secret_key !== undefined),
    { path: ["access_key"], message: "Enter an access key and its secret key, or a Bedrock API key." },
  );

/** Amazon Bedrock, with an AWS key pair or a Bedrock API key. */
export const bedrock = defineProvider({
  name: "Bedrock",
  label: "AWS Bedrock",
  credentials,
  models: BEDROCK_MODELS,
  facts: "amazon-bedrock",
  open(entered, model, settings, { fetch, timeouts, amendments }) {
    const { region } = entered;
    const id = bedrockIdOf(model ?? BEDROCK_DEFAULT_MODEL, region);
    const contextTokens = contextTokensOf(id, "amazon-bedrock");
    return bedrockModel({
      credentials: awsOf(entered),
      region,
      model: id,
      contextTokens,
      settings,
      fetch,
      timeouts,
      amendments: amendments.of({
        server: region,
        model: id,
        credential: entered.api_key ?? entered.access_key ?? "",
      }),
    });
  },
  openEmbedder: (entered, { fetch }) =>
    bedrockEmbedder({ credentials: awsOf(entered), region: entered.region, fetch }),
  async listModels(entered, context, signal) {
    const [models, profiles] = await Promise.all([
      list(entered, "foundation-models?byOutputModality=TEXT", context, signal),
      // The account may lack permission to list profiles. Its models can still be listed.
      list(entered, "inference-profiles?maxResults=1000", context, signal).catch(() => ({})),
    ]);
    signal.throwIfAborted();
    return [
      ...objectsAt(profiles, "inferenceProfileSummaries").map(profileInfo),
      ...objectsAt(models, "modelSummaries").filter(isOnDemand).map(modelInfo),
    ].filter(({ id }) => id !== "");
  },
});

type Entered = z.infer<typeof credentials>;

async function list(
  entered: Entered,
  path: string,
  { fetch }: ProviderContext,
  signal: AbortSignal,
): Promise<Json> {
  const url = `https://bedrock.${entered.region}.amazonaws.com/${path}`;
  const request = await signedRequest(awsOf(entered), entered.region, url);
  const answer = await fetchJson(fetch, request, bedrockError, signal);
  return isObject(answer) ? answer : {};
}

const awsOf = ({ api_key, access_key = "", secret_key = "" }: Entered): AwsCredentials =>
  api_key === undefined ? { accessKeyId: access_key, secretAccessKey: secret_key } : { apiKey: api_key };

/** Whether a model can be called by its own id, can stream, and is open to new users. */
const isOnDemand = (model: Json): boolean =>
  model["responseStreamingSupported"] === true &&
  textAt(objectAt(model, "modelLifecycle"), "status") !== "LEGACY" &&
  Array.isArray(model["inferenceTypesSupported"]) &&
  model["inferenceTypesSupported"].includes("ON_DEMAND");

function modelInfo(model: Json): ModelInfo {
  const id = textAt(model, "modelId");
  const name = [textAt(model, "providerName"), textAt(model, "modelName")].filter(Boolean).join(" ") || id;
  return { id, name, contextTokens: contextTokensOf(id, "amazon-bedrock") };
}

function profileInfo(profile: Json): ModelInfo {
  const id = textAt(profile, "inferenceProfileId");
  return {
    id,
    name: textAt(profile, "inferenceProfileName") || id,
    contextTokens: contextTokensOf(id, "amazon-bedrock"),
  };
}
