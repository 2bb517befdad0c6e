/**
 * Makes the extract of models.dev that ships with the service (`src/llm/model-facts-data.ts`):
 *
 *     npm run models -- api.json
 *
 * The file is a download of https://models.dev/api.json (MIT licence), or a reduction of it with the members `source` and
 * `providers`.
 */
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { field, parseJson } from "./json.ts";

/** Which providers are extracted, and in which order. */
const PROVIDERS = [
  "openai",
  "anthropic",
  "amazon-bedrock",
  "google",
  "mistral",
  "deepseek",
  "groq",
  "xai",
  "togetherai",
  "cloudflare-workers-ai",
  "moonshotai",
  "fireworks-ai",
  "cerebras",
] as const;
const MAX_GZIP_BYTES = 4_096;
/** Bedrock lists a model once for each geographic area. */
const AREA = /^(?:global|us|eu|apac|au|jp|us-gov|ca)\.(?=[a-z])/u;

interface Facts {
  readonly context: number;
  readonly input: number | undefined;
  readonly output: number;
  readonly inputPrice: number | undefined;
  readonly outputPrice: number | undefined;
  readonly tools: boolean;
  readonly vision: boolean;
}

const numberIn = (value: unknown): number | undefined => (typeof value === "number" ? value : undefined);

/** Reads one model of either form. Returns `undefined` for models that do not chat. */
function factsOf(model: unknown): Facts | undefined {
  const limit = field(model, "limit") ?? model;
  const price = field(model, "cost") ?? field(model, "price");
  const context = numberIn(field(limit, "context")) ?? 0;
  const output = numberIn(field(limit, "output")) ?? 0;
  const inputs = field(field(model, "modalities"), "input");
  if (context === 0 || output === 0) return undefined;
  return {
    context,
    input: numberIn(field(limit, "input")),
    output,
    inputPrice: numberIn(field(price, "input")),
    outputPrice: numberIn(field(price, "output")),
    tools: field(model, "tools") === true || field(model, "tool_call") === true,
    vision: field(model, "vision") === true || (Array.isArray(inputs) && inputs.includes("image")),
  };
}

/**
 * Returns how many tokens a model reads. Some entries lack the limit of the input: OpenAI's reasoning models read what
 * the window leaves beside the output.
 */
function windowOf(provider: string, id: string, { context, input, output }: Facts): number {
  if (input !== undefined) return input;
  const sharesWindow = provider === "openai" && /^(?:gpt-5|codex)/u.test(id) && output < context / 2;
  return sharesWindow && context > 200_000 ? context - output : context;
}

/** One line of a model: id, window and output in tokens, prices per million tokens, and flags. */
function lineOf(provider: string, id: string, facts: Facts): string {
  const { output, inputPrice, outputPrice, tools, vision } = facts;
  const prices = inputPrice === undefined || outputPrice === undefined ? ["", ""] : [inputPrice, outputPrice];
  const flags = `${tools ? "t" : ""}${vision ? "v" : ""}`;
  return [id, windowOf(provider, id, facts), output, ...prices, flags].join(",");
}

/** What `extractOf` returns: the lines of the extract, and the day of the snapshot. */
export interface Extract {
  readonly data: string;
  /** The day that the download's `source` names, or `undefined`. */
  readonly day: string | undefined;
}

/** Returns the extract of a parsed download. Throws if it has no models, or would be too large for the bundle. */
export function extractOf(parsed: unknown): Extract {
  const source = field(parsed, "source");
  const providers = field(parsed, "providers") ?? parsed;
  const sections = PROVIDERS.map((name) => [`#${name}`, ...linesOf(name, field(providers, name))]);
  if (sections.every(({ length }) => length === 1)) throw new Error("The file has no models of models.dev.");

  const data = sections.flat().join("\n");
  const size = gzipSync(data).byteLength;
  if (size > MAX_GZIP_BYTES)
    throw new Error(`The extract has ${size} bytes compressed; at most ${MAX_GZIP_BYTES} are allowed.`);
  return { data, day: /\d{4}-\d\d-\d\d/u.exec(typeof source === "string" ? source : "")?.[0] };
}

/** Returns the lines of a provider's models, sorted. Of several entries for one model, the last one counts. */
function linesOf(name: string, provider: unknown): readonly string[] {
  const lines = new Map<string, string>();
  for (const [id, model] of Object.entries(field(provider, "models") ?? provider ?? {})) {
    const facts = factsOf(model);
    const plain = name === "amazon-bedrock" ? id.replace(AREA, "") : id;
    if (facts) lines.set(plain, lineOf(name, plain, facts));
  }
  return [...lines.values()].toSorted();
}

async function main(file: string | undefined): Promise<void> {
  if (file === undefined) throw new Error("Usage: npm run models -- <file>");
  const { data, day } = extractOf(parseJson(await readFile(file, "utf8")));
  const date = day ?? (await stat(file)).mtime.toISOString().slice(0, 10);
  const target = join(import.meta.dirname, "../src/llm/model-facts-data.ts");
  await writeFile(
    target,
    `/** Written by \`npm run models\`. The date of the snapshot of models.dev (MIT licence) that it was made from. */
export const MODEL_FACTS_DATE = ${JSON.stringify(date)};

/** Each line: id, tokens read, tokens written, US dollars per million tokens read and written, \`t\`ools and \`v\`ision. */
export const MODEL_FACTS = \`${data}\`;
`,
  );
  const count = data.split("\n").length - PROVIDERS.length;
  console.log(`${count} models, ${gzipSync(data).byteLength} bytes compressed, as of ${date}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv[2]);
