import { withoutTrailing } from "../shared/text.ts";
import type { EmbeddingsConfig, EmbeddingsEndpoint } from "./embeddings.ts";
import type { OpenAiModelOptions } from "./openai.ts";

/** The version of the API with deployments in its paths. */
const API_VERSION = "2024-10-21";
const HOST = /\.(?:openai\.azure|cognitiveservices\.azure|services\.ai\.azure)\.com$/u;

/** Whether a base URL is one of Azure OpenAI. */
export const isAzure = (baseUrl: string): boolean => HOST.test(URL.parse(baseUrl)?.hostname ?? "");

const deploymentPath = (deployment: string): string =>
  `/openai/deployments/${encodeURIComponent(deployment)}`;

/**
 * Returns the options for Azure OpenAI: the key in a header of its own, and the deployment in the path, unless the address
 * names the newer API (`/openai/v1`) or a deployment itself. Returns no options for any other host.
 */
export function azureOptions(
  baseUrl: string,
  deployment: string,
  apiKey: string | undefined,
): Pick<OpenAiModelOptions, "headers" | "query" | "responsesUrl"> & { readonly baseUrl?: string } {
  if (!isAzure(baseUrl)) return {};
  const { origin, pathname } = new URL(baseUrl);

  const headers = { "api-key": apiKey ?? "", authorization: null };
  if (pathname.endsWith("/v1")) return { headers };
  const query = { "api-version": API_VERSION };
  // The versions that have deployments in their paths lack the Responses API.
  const responsesUrl = `${origin}/openai/v1`;
  if (pathname.includes("/deployments/")) return { headers, query, responsesUrl };
  return {
    headers,
    query,
    responsesUrl,
    baseUrl: `${origin}${deploymentPath(deployment)}`,
  };
}

/** Returns the request for Azure's list of models, or `undefined` for any other host. */
export function azureListRequest(baseUrl: string, apiKey: string | undefined): Request | undefined {
  if (!isAzure(baseUrl)) return undefined;
  const { origin, pathname } = new URL(baseUrl);
  const path = pathname.endsWith("/v1") ? `${pathname}/models` : `/openai/models?api-version=${API_VERSION}`;
  return new Request(`${origin}${path}`, { headers: { "api-key": apiKey ?? "" } });
}

/**
 * Returns where Azure OpenAI embeds texts: in the deployment that the model names, also if the address names the deployment
 * of a chat model, or in the newer API (`/openai/v1`), which takes the deployment in the body.
 */
export function azureEmbeddings({ url, apiKey, model }: EmbeddingsConfig): EmbeddingsEndpoint {
  const { origin, pathname } = new URL(withoutTrailing(url, "/"));
  const path = pathname.endsWith("/v1")
    ? `${pathname}/embeddings`
    : `${deploymentPath(model)}/embeddings?api-version=${API_VERSION}`;
  return { url: `${origin}${path}`, headers: { "api-key": apiKey ?? "" } };
}
