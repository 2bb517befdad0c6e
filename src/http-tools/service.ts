import { sleep } from "../shared/async.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, invalidInput, type Issue, notFound } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { OUT_OF_BOUNDS, type OutboundPolicy, outOfBounds } from "../shared/outbound.ts";
import { type HttpToolPorts, type Trial, tryTool } from "./calls.ts";
import {
  type HttpTool,
  type HttpToolSettings,
  MAX_ALL_BYTES,
  MAX_DEFINITION_CHARS,
  MAX_SECRETS,
  MAX_TOOLS,
  type RequestTemplate,
  sizeOfTools,
  TOO_LONG,
} from "./model.ts";
import type { HttpToolRepository, ToolState } from "./repository.ts";
import { argumentsSchema } from "./parameters.ts";
import { exampleUrl, placeholderProblems } from "./placeholders.ts";
import type { Secrets, ToolPlace } from "./secrets.ts";

/** How often a change is attempted while the agent's tools are changed concurrently. */
const ATTEMPTS = 16;
/** The longest random pause between attempts, in milliseconds, which spreads concurrent requests out. */
const MAX_PAUSE_MS = 50;

/** Changes of secrets by name: a text sets one, null removes it. Absent ones stay. */
type SecretChanges = Readonly<Record<string, string | null>>;

/** A tool as its owner describes it, with the secrets that its request uses. */
export interface NewHttpTool extends HttpToolSettings {
  readonly secrets: SecretChanges;
}

/** Changes of a tool. Absent members keep their values, those of the request too. */
export type HttpToolChanges = Partial<Omit<NewHttpTool, "request">> & {
  readonly request: Partial<RequestTemplate>;
};

interface HttpToolServiceDeps extends Pick<HttpToolPorts, "secrets" | "sender"> {
  readonly tools: HttpToolRepository;
  readonly policy: OutboundPolicy;
  readonly clock: Clock;
}

/** Lets the owner of an agent define its HTTP tools and try them. */
export class HttpToolService {
  readonly #deps: HttpToolServiceDeps;

  constructor(deps: HttpToolServiceDeps) {
    this.#deps = deps;
  }

  /** Returns the tools of an agent, oldest first. Throws `not-found` if the account has no such agent. */
  async list(place: ToolPlace): Promise<readonly HttpTool[]> {
    return (await this.#deps.tools.state(place)).tools;
  }

  /** Returns one tool. Throws `not-found` if there is no such agent or tool. */
  async get(place: ToolPlace, toolId: string): Promise<HttpTool> {
    return requireTool(await this.#deps.tools.state(place), toolId);
  }

  /**
   * Adds a tool. `wantedId` is the id that an earlier attempt of the same request used: if that has added the tool, returns it. Throws
   * `not-found` if there is no such agent, `conflict` if a tool has the name or the agent has as many tools as it may have, and
   * `validation-failed` for an address that may not be requested or placeholders without a value.
   */
  create(
    place: ToolPlace,
    { secrets, ...settings }: NewHttpTool,
    wantedId: string | undefined,
  ): Promise<HttpTool> {
    const { clock } = this.#deps;
    const id = wantedId ?? newId(clock.now());
    return this.#change(place, async (state) => {
      const known = state.tools.find((tool) => tool.id === id);
      if (known) return { result: known };
      if (state.tools.length >= MAX_TOOLS)
        throw new AppError(
          "conflict",
          `An agent can have at most ${MAX_TOOLS} HTTP tools. Delete one to add another.`,
        );

      const made = await this.#sealed(place, id, settings, applied({}, secrets));
      const tool = { ...made, id, createdAt: clock.timestamp(), updatedAt: null };
      return { result: tool, tools: [...state.tools, tool] };
    });
  }

  /** Changes a tool; absent members keep their values. Throws what `create` throws, and `not-found` if there is no such tool. */
  update(place: ToolPlace, toolId: string, { secrets, ...changes }: HttpToolChanges): Promise<HttpTool> {
    return this.#change(place, async (state) => {
      const before = requireTool(state, toolId);
      const { name, description, parameters, timeoutSeconds, enabled } = { ...before, ...changes };
      const request = { ...before.request, ...changes.request };
      const settings = { name, description, parameters, request, timeoutSeconds, enabled };
      const kept = await this.#open(place, before);
      requireNamedSecrets(before, request, secrets ?? {});
      const made = await this.#sealed(place, toolId, settings, applied(kept ?? {}, secrets ?? {}));
      const { createdAt } = before;
      const tool = { ...made, id: toolId, createdAt, updatedAt: this.#deps.clock.timestamp() };
      return { result: tool, tools: state.tools.map((other) => (other.id === toolId ? tool : other)) };
    });
  }

  /** Removes a tool if there is one. Throws `not-found` if there is no such agent. */
  async remove(place: ToolPlace, toolId: string): Promise<void> {
    await this.#change(place, (state) => {
      const tools = state.tools.filter(({ id }) => id !== toolId);
      return Promise.resolve({ result: null, ...(tools.length < state.tools.length && { tools }) });
    });
  }

  /**
   * Sends a tool's request once with these arguments, and returns what was sent and answered, with masked secrets. Throws
   * `not-found` if there is no such agent or tool, and `validation-failed` if the arguments do not match its parameters.
   */
  async try(place: ToolPlace, toolId: string, args: Readonly<Record<string, unknown>>): Promise<Trial> {
    const tool = await this.get(place, toolId);
    const input = argumentsSchema(tool.parameters).safeParse(args);
    if (!input.success)
      throw invalidInput(
        "json",
        input.error.issues.map((issue) => ({ ...issue, path: ["arguments", ...issue.path] })),
      );

    const secrets = await this.#open(place, tool);
    if (!secrets) throw new AppError("conflict", UNREADABLE);
    return tryTool({ tool, secrets, arguments: input.data }, this.#deps);
  }

  /** Encrypts the secrets of a tool with the current key, if they are not. If that fails, it is logged, and the next use of the tool tries again. */
  async renew(place: ToolPlace, toolId: string): Promise<void> {
    try {
      await this.#change(place, async (state) => {
        const tool = state.tools.find(({ id }) => id === toolId);
        const opened = tool && (await this.#deps.secrets.open(place, tool));
        // Every call of a turn asks for it.
        if (!tool || !opened || opened.isCurrent) return { result: null };
        const sealedSecrets = await this.#deps.secrets.seal(place, toolId, opened.secrets);
        const renewed = { ...tool, sealedSecrets };
        return { result: null, tools: state.tools.map((other) => (other.id === toolId ? renewed : other)) };
      });
    } catch (error) {
      console.warn({
        message: "Could not re-encrypt the secrets of an HTTP tool. The next use tries again.",
        error: String(error),
      });
    }
  }

  async #open(place: ToolPlace, tool: HttpTool): Promise<Secrets | undefined> {
    return (await this.#deps.secrets.open(place, tool))?.secrets;
  }

  async #sealed(place: ToolPlace, id: string, settings: HttpToolSettings, secrets: Secrets) {
    const secretNames = Object.keys(secrets);
    const problems = [
      ...sizeProblems(settings, secretNames),
      ...placeholderProblems(settings, secretNames),
      ...addressProblems(settings, this.#deps.policy),
    ];
    if (problems.length > 0) throw invalidInput("json", problems);
    return { ...settings, secretNames, sealedSecrets: await this.#deps.secrets.seal(place, id, secrets) };
  }

  /** Attempts a change with fresh tools until they have not been changed meanwhile. Without `tools`, nothing is to be changed. */
  async #change<T>(
    place: ToolPlace,
    change: (state: ToolState) => Promise<{ readonly result: T; readonly tools?: readonly HttpTool[] }>,
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const state = await this.#deps.tools.state(place);
      const { result, tools } = await change(state);
      if (!tools) return result;

      requireRoom(tools);
      requireDistinctNames(tools);
      if (await this.#deps.tools.save(place, { tools, revision: state.revision })) return result;
      await sleep(Math.random() * MAX_PAUSE_MS);
    }
    throw new AppError("unavailable", "The agent's tools are being changed concurrently. Please try again.", {
      retryAfter: 1,
    });
  }
}

const UNREADABLE = "The secrets of this tool can no longer be read. Enter them again.";

function requireTool({ tools }: ToolState, toolId: string): HttpTool {
  const tool = tools.find(({ id }) => id === toolId);
  if (!tool) throw notFound("HTTP tool");
  return tool;
}

function requireDistinctNames(tools: readonly HttpTool[]): void {
  const names = tools.map(({ name }) => name.toLowerCase());
  const twice = tools.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice)
    throw new AppError("conflict", `The agent already has a tool called ${twice.name}. Choose another name.`);
}

function requireRoom(tools: readonly HttpTool[]): void {
  if (sizeOfTools(tools) > MAX_ALL_BYTES)
    throw new AppError(
      "conflict",
      `The HTTP tools of an agent can have at most ${MAX_ALL_BYTES / 1024} KB in all. Shorten or delete one.`,
    );
}

/**
 * Security: who may change a tool must not learn its secrets, which a request to a server of theirs would show. Throws
 * `validation-failed` if the request goes to another origin than before and any secret is neither entered again nor removed.
 */
function requireNamedSecrets(before: HttpTool, { url }: RequestTemplate, changes: SecretChanges): void {
  if (originOf(url) === originOf(before.request.url)) return;
  const name = before.secretNames.find((each) => !Object.hasOwn(changes, each));
  if (name !== undefined)
    throw invalidInput("json", [
      {
        path: ["secrets", name],
        code: "custom",
        message: `secrets.${name} is needed again, or null to remove it, because the request would go to another host.`,
      },
    ]);
}

const originOf = (url: string): string | undefined => URL.parse(exampleUrl(url))?.origin;

/** Each request is checked by itself, but several changes add up. */
function sizeProblems(settings: HttpToolSettings, secretNames: readonly string[]): readonly Issue[] {
  const { request, ...others } = settings;
  const isLong = JSON.stringify({ ...others, ...request }).length > MAX_DEFINITION_CHARS;
  return [
    ...(isLong ? [{ path: [], code: "custom", message: TOO_LONG }] : []),
    ...(secretNames.length > MAX_SECRETS
      ? [{ path: ["secrets"], code: "custom", message: `A tool can have at most ${MAX_SECRETS} secrets.` }]
      : []),
  ];
}

/** Returns the secrets with their changes. */
const applied = (secrets: Secrets, changes: SecretChanges): Secrets =>
  Object.fromEntries(
    Object.entries({ ...secrets, ...changes }).filter(
      (entry): entry is [string, string] => entry[1] !== null,
    ),
  );

/** Judges by the text of the address only. Whether its host is public is looked up for each request. */
function addressProblems({ request: { url } }: HttpToolSettings, policy: OutboundPolicy) {
  const reason = outOfBounds(exampleUrl(url), policy);
  return reason === undefined
    ? []
    : [{ path: ["url"], message: `url can't be used. ${OUT_OF_BOUNDS[reason]}`, code: "custom" }];
}
