import { globSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";

/** Matches the parameters of a constructor, up to the brace of its body. */
const CONSTRUCTOR =
  /class (?<name>\w+)(?<heritage>[^{]*)\{(?:(?!\nclass |\nexport class )[^])*?\n {2}constructor\((?<params>[^]*?)\) \{\n/gu;

/** Returns the classes whose constructor takes several parameters. Errors are exempt: their base class takes two. */
function positional(source: string): readonly string[] {
  return [...source.matchAll(CONSTRUCTOR)].flatMap(({ groups }) => {
    const { name = "", heritage = "", params = "" } = groups ?? {};
    const isError = /\b(?:App)?Error\b/u.test(heritage);
    const outside = params.replaceAll(/\{[^{}]*\}|\([^()]*\)|<[^<>]*>|\[[^[\]]*\]/gu, "");
    return !isError && /,\s*\w/u.test(outside) ? [name] : [];
  });
}

it("recognises a constructor with several parameters", () => {
  expect(positional("class A {\n  constructor(table: Table, clock: Clock) {\n  }\n}")).toEqual(["A"]);
  expect(positional("class A {\n  constructor({ table, clock }: ADeps) {\n  }\n}")).toEqual([]);
  expect(
    positional("class A extends Error {\n  constructor(code: string, status: number) {\n  }\n}"),
  ).toEqual([]);
});

it("every class takes its collaborators as one object", () => {
  const files = globSync("src/**/*.ts");
  expect(files.length).toBeGreaterThan(100);

  const found = files.flatMap((file) =>
    positional(readFileSync(file, "utf8")).map((name) => `${file}: ${name}`),
  );

  expect(found).toEqual([]);
});

it("only `deps/` constructs services and repositories", () => {
  const constructed = globSync("src/**/*.ts").flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bnew (?<name>\w+(?:Service|Repository))\(/gu)].map(
      ({ groups }) => ({ file, name: groups?.["name"] }),
    ),
  );

  expect(constructed.length).toBeGreaterThan(30);
  expect(constructed.filter(({ file }) => !file.startsWith("src/deps/"))).toEqual([]);
});
