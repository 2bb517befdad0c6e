import { readFile } from "node:fs/promises";
import { field, parseJson } from "../scripts/json.ts";

/** The most memories that a request may store. */
const BATCH = 100;

/** A memory as it is stored. */
export interface NewMemory {
  readonly content: string;
  readonly occurred_at?: string;
}

/** The archival memory of a new agent. */
export interface BenchMemory {
  /** Stores memories in order. Returns the id of each; equal ones share an id. */
  insert(memories: readonly NewMemory[]): Promise<readonly string[]>;
  /** Returns the ids of the best matches. */
  search(query: string, limit: number): Promise<readonly string[]>;
}

const api = process.env["API_URL"] ?? "http://localhost:8787";

/**
 * Reads the JSON file that the command line names. Without one that holds the data, prints `guide`, which says what to get,
 * and ends the program.
 */
export async function readData(guide: string, isData: (value: unknown) => boolean): Promise<unknown> {
  const [, , path] = process.argv;
  if (path === undefined) return fail(guide);

  const content = await readFile(path, "utf8").catch((error: unknown) =>
    fail(`${path} cannot be read (${String(field(error, "code"))}).\n${guide}`),
  );
  const value = parseJson(content);
  return isData(value) ? value : fail(`${path} is not the data of this benchmark.\n${guide}`);
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

/** Creates an account on a local API. Throws if the API refuses. */
export async function signUp(prefix: string) {
  const username = `${prefix}-${crypto.randomUUID().slice(0, 8)}`;
  const answer = await send("POST", "/auth/local/signup", undefined, { username, password: "no-secret" });
  const token = text(answer, "token");

  return {
    /** Creates an agent. */
    async createMemory(name: string): Promise<BenchMemory> {
      const agent = await send("POST", "/agents", token, {
        agent_name: name,
        agent_architecture: "krishna-memgpt",
        agent_provider: "Demo",
        agent_persona: "Remembers.",
      });
      const path = `/agents/${text(agent, "agent_id")}/archival-memory`;
      return {
        async insert(memories) {
          const ids: string[] = [];
          for (let start = 0; start < memories.length; start += BATCH) {
            const items = memories.slice(start, start + BATCH);
            const stored = list(await send("POST", `${path}/batch`, token, { items }), "items");
            ids.push(...stored.map((item) => text(item, "memory_id")));
          }
          return ids;
        },
        async search(query, limit) {
          const parameters = new URLSearchParams({ query, limit: String(limit) });
          const found = await send("GET", `${path}/search?${parameters.toString()}`, token);
          return list(found, "items").map((item) => text(item, "memory_id"));
        },
      };
    },
  };
}

async function send(
  method: string,
  path: string,
  token: string | undefined,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

function text(value: unknown, name: string): string {
  const found = field(value, name);
  if (typeof found !== "string") throw new Error(`The API's answer has no "${name}".`);
  return found;
}

function list(value: unknown, name: string): readonly unknown[] {
  const found = field(value, name);
  if (!Array.isArray(found)) throw new Error(`The API's answer has no "${name}".`);
  return found;
}
