import { execFile } from "node:child_process";
import { cp, mkdir, readFile } from "node:fs/promises";
import { basename, join, matchesGlob } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Variables by which npm finds its settings, and its registry through proxies. */
const NPMS_OWN = /^(?:HOME|npm_config_.*|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE)$/iu;

/** A line of a Dockerfile: the word that it begins with, and the rest. */
interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** What a stage of a Dockerfile leaves: its working directory, its variables and its instructions. */
export interface Stage {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instructions: readonly Instruction[];
}

/** Returns the files and folders that the last stage of a Dockerfile copies from the project. */
export function copiedFrom(text: string): readonly string[] {
  const instructions = instructionsOf(text);
  const last = instructions.findLastIndex(({ name }) => name === "FROM");
  return instructions
    .slice(last)
    .filter(({ name, rest }) => name === "COPY" && !rest.includes("--from="))
    .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
}

/** Reads a Dockerfile: one instruction per line, without comments. */
export function instructionsOf(text: string): readonly Instruction[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [name = ""] = line.split(" ", 1);
      return { name, rest: line.slice(name.length).trim() };
    });
}

/** Returns the words of an instruction in JSON form, such as `CMD ["node", "start.ts"]`. Options before it are left out. */
export function wordsOf({ instructions }: Stage, name: string): readonly string[] {
  const rest = instructions.findLast((instruction) => instruction.name === name)?.rest ?? "[]";
  // Written by us, as an array of texts.
  return JSON.parse(rest.slice(rest.indexOf("["))) as string[];
}

/**
 * Does what `docker build` does with a Dockerfile, as far as that is possible without an engine: each stage gets a folder in place
 * of its working directory, and its commands run there, with this machine's Node and npm. Returns the last stage.
 */
export async function buildWithoutDocker(context: string, folder: string): Promise<Stage> {
  const ignored = (await readFile(join(context, ".dockerignore"), "utf8")).split("\n").filter(Boolean);
  const stages = new Map<
    string,
    { folder: string; env: Record<string, string>; instructions: Instruction[] }
  >();
  let stage: { folder: string; env: Record<string, string>; instructions: Instruction[] } | undefined;

  for (const instruction of instructionsOf(await readFile(join(context, "Dockerfile"), "utf8"))) {
    const { name, rest } = instruction;
    if (name === "FROM") {
      const [image = "", , alias = `stage-${stages.size}`] = rest.split(" ");
      stage = { folder: join(folder, alias), env: { ...stages.get(image)?.env }, instructions: [] };
      stages.set(alias, stage);
      await mkdir(stage.folder, { recursive: true });
    }
    if (stage === undefined) throw new Error("A Dockerfile begins with FROM.");
    stage.instructions.push(instruction);
    if (name === "ENV") for (const pair of rest.split(" ")) Object.assign(stage.env, variableIn(pair));
    if (name === "RUN") await run("sh", ["-c", rest], { cwd: stage.folder, env: environment(stage.env) });
    if (name === "COPY") await copy(rest, stage.folder);
  }
  if (stage === undefined) throw new Error("The Dockerfile is empty.");
  return stage;

  async function copy(rest: string, target: string): Promise<void> {
    const words = rest.split(" ").filter((word) => !word.startsWith("--"));
    const from = /--from=(\S+)/u.exec(rest)?.[1];
    const destination = words.at(-1) ?? "";
    for (const word of words.slice(0, -1)) {
      // In another stage, paths begin with its working directory.
      const source =
        from === undefined ? join(context, word) : join(folder, from, word.replace(/^\/app\//u, ""));
      const path = destination.endsWith("/") ? join(destination, basename(word)) : destination;
      const isKept = (file: string) =>
        from !== undefined || !ignored.some((glob) => matchesGlob(file.slice(context.length + 1), glob));
      await cp(source, join(target, path), { recursive: true, verbatimSymlinks: true, filter: isKept });
    }
  }
}

function variableIn(pair: string): Readonly<Record<string, string>> {
  const [name = "", value = ""] = pair.split("=");
  return { [name]: value };
}

/** The variables that a command of the Dockerfile gets: its own, and those by which npm finds its registry. */
export function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  // The image's Node is this one.
  const path = `${join(process.execPath, "..")}:/usr/local/bin:/usr/bin:/bin`;
  const env: Record<string, string> = { PATH: path };
  for (const [name, value] of Object.entries(process.env))
    if (value !== undefined && NPMS_OWN.test(name)) env[name] = value;
  // The Worker's types make its variables every process's; a process takes any.
  return Object.assign(env, own) as NodeJS.ProcessEnv;
}
