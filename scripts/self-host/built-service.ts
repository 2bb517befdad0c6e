import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { field } from "../json.ts";

/** A file that a Worker consists of. */
export interface WorkerModule {
  /** The name that other modules import it by. */
  readonly name: string;
  readonly kind: "esModule" | "wasm" | "data" | "text";
  /** Its path in the folder of the built service. */
  readonly file: string;
}

/** A Worker and what its configuration binds it to. */
export interface BuiltWorker {
  readonly name: string;
  readonly modules: readonly WorkerModule[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly objects: readonly { readonly binding: string; readonly className: string }[];
  /** `limit` calls per `period`, in seconds. */
  readonly burstLimits: readonly {
    readonly binding: string;
    readonly limit: number;
    readonly period: number;
  }[];
  readonly services: readonly { readonly binding: string; readonly service: string }[];
  /** A folder in that of the built service. */
  readonly assets: { readonly binding: string; readonly directory: string } | undefined;
}

/** Everything that workerd serves: read from wrangler.toml when it was built, so that serving it needs no wrangler. */
export interface BuiltService {
  readonly main: BuiltWorker;
  readonly standIns: BuiltWorker;
  /** The Workers that `main` is bound to. */
  readonly others: readonly BuiltWorker[];
  readonly crons: readonly string[];
}

/** The path of the description of a built service. */
export const manifestOf = (folder: string): string => join(folder, "service.json");

/** Reads a built service. Throws a sentence if nothing has been built into the folder. */
export async function readBuiltService(folder: string): Promise<BuiltService> {
  let text: string;
  try {
    text = await readFile(manifestOf(folder), "utf8");
  } catch (error) {
    if (field(error, "code") !== "ENOENT") throw error;
    throw new Error(`Nothing is built in ${folder}. Build it: npm run build`, { cause: error });
  }
  // Written by `buildService`.
  return JSON.parse(text) as BuiltService;
}
