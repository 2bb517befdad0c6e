import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { VARIABLE_NAMES } from "../../src/config.ts";
import { OF_SCRIPTS } from "../../scripts/doctor/settings.ts";
import { instructionsOf } from "./dockerfile.ts";

const read = (file: string): Promise<string> => readFile(join(import.meta.dirname, "../..", file), "utf8");

/** The lines of a service in compose.yaml, without comments. Our file has two blanks per level. */
async function linesOf(service: string): Promise<readonly string[]> {
  const lines = (await read("compose.yaml")).split("\n").filter((line) => !line.trimStart().startsWith("#"));
  const from = lines.indexOf(`  ${service}:`);
  expect([service, from]).not.toEqual([service, -1]);
  const length = lines.slice(from + 1).findIndex((line) => /^ {0,2}\S/u.test(line));
  return lines.slice(from + 1, from + 1 + length);
}

/** The variables below a service's `environment:`. */
function environmentIn(lines: readonly string[]): ReadonlyMap<string, string> {
  const from = lines.indexOf("    environment:");
  const own = lines.slice(from + 1).filter((line) => /^ {6}[A-Z_]+: /u.test(line));
  return new Map(
    own.map((line) => {
      const [name = "", ...value] = line.trim().split(": ");
      return [name, value.join(": ").replaceAll('"', "")];
    }),
  );
}

it("sets variables that the service or its command reads, and no others", async () => {
  const environment = environmentIn(await linesOf("api"));
  const text = await read("compose.yaml");
  const interpolated = [...text.matchAll(/\$\{(?<name>\w+)/gu)].map(({ groups }) => groups?.["name"]);

  expect([...environment.keys()].length).toBeGreaterThan(0);
  const known = [...VARIABLE_NAMES, ...OF_SCRIPTS];
  expect([...environment.keys(), ...interpolated].filter((name) => !known.includes(name ?? ""))).toEqual([]);
});

it("publishes the port that the image serves, and keeps the folder in which it stores data", async () => {
  const api = (await linesOf("api")).join("\n");
  const environment = environmentIn(await linesOf("api"));
  const image = instructionsOf(await read("Dockerfile"));
  const rest = (name: string) => image.findLast((instruction) => instruction.name === name)?.rest ?? "";

  const port = /:(?<container>\d+)"\]/u.exec(/ports: (?<list>.*)/u.exec(api)?.groups?.["list"] ?? "");
  expect(environment.get("PORT")).toBe(port?.groups?.["container"]);
  expect(rest("EXPOSE")).toBe(environment.get("PORT"));
  expect(rest("ENV")).toContain(`DATA_DIR=${environment.get("DATA_DIR")}`);
  expect(api).toContain(`:${rest("VOLUME")}"]`);
  // Compose uses the image's own check. Its path is a route of the service.
  expect(api).not.toContain("healthcheck");
  const checked = /\}(?<path>\/[\w/]+)`/u.exec(rest("HEALTHCHECK"))?.groups?.["path"] ?? "";
  expect(JSON.parse(await read("docs/openapi.json"))).toHaveProperty(["paths", checked]);
});

it("names volumes and services that it declares, and the database's own port", async () => {
  const text = await read("compose.yaml");
  const declared = text.slice(text.indexOf("\nvolumes:"));
  const used = [...text.matchAll(/volumes: \["(?<name>\w+):/gu)].map(({ groups }) => groups?.["name"] ?? "");

  expect(used).toEqual(["data", "table"]);
  for (const name of used) expect(declared).toContain(`\n  ${name}:`);
  const [host = "", port] =
    /http:\/\/(?<host>[\w.]+:\d+)/u
      .exec(environmentIn(await linesOf("api")).get("DYNAMODB_ENDPOINT") ?? "")
      ?.groups?.["host"]?.split(":") ?? [];
  expect(port).toBe("8000");
  expect((await linesOf(host)).join("\n")).toContain("DynamoDBLocal.jar");
  expect((await linesOf("api")).join("\n")).toContain(`depends_on: [${host}]`);
});
