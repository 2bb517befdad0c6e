import { describe, expect, it } from "vitest";
import { argumentsSchema, parameterProblems } from "../../src/http-tools/parameters.ts";

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });
const nested = (depth: number): object =>
  depth === 0 ? { type: "string" } : object({ a: nested(depth - 1) });

describe("the schema of parameters", () => {
  it.each([
    ["no parameters", { type: "object" }],
    [
      "every keyword",
      object(
        {
          a: { type: "string", description: "A", minLength: 1, maxLength: 9 },
          b: { type: "string", enum: ["x", "y"] },
          c: { type: "integer", minimum: 1, maximum: 5 },
          d: { type: "number", enum: [1.5] },
          e: { type: "boolean" },
          f: { type: "array", items: object({ g: { type: "string" } }), minItems: 1, maxItems: 3 },
        },
        { required: ["a"], description: "All" },
      ),
    ],
    ["a nesting of five levels", nested(4)],
  ])("may have %s", (_case, schema) => {
    expect(parameterProblems(schema)).toEqual([]);
  });

  it.each([
    ["a text", "string", /must be a JSON Schema of/u],
    ["another type", { type: "array", items: { type: "string" } }, /must be a JSON Schema of/u],
    ["an unknown type", object({ a: { type: "text" } }), /./u],
    ["a pattern", object({ a: { type: "string", pattern: "(a+)+$" } }), /pattern/u],
    ["a reference", object({ a: { $ref: "#" } }), /./u],
    ["a union", object({ a: { anyOf: [{ type: "string" }] } }), /./u],
    ["a name with a dot", object({ "a.b": { type: "string" } }), /./u],
    [
      "a required parameter that it does not have",
      object({ a: { type: "string" } }, { required: ["b"] }),
      /b, which is no property/u,
    ],
    ["too deep a nesting", nested(5), /at most 5 levels/u],
    ["endless nesting", nested(2_000), /at most 5 levels/u],
    [
      "too many parameters",
      object(Object.fromEntries(Array.from({ length: 70 }, (_, n) => [`p${n}`, { type: "string" }]))),
      /at most 60/u,
    ],
  ])("must not have %s", (_case, schema, message) => {
    expect(JSON.stringify(parameterProblems(schema))).toMatch(message);
    expect(parameterProblems(schema)).not.toEqual([]);
  });
});

describe("arguments", () => {
  const schema = argumentsSchema(
    object(
      {
        name: { type: "string", maxLength: 5 },
        kind: { type: "string", enum: ["x", "y"] },
        count: { type: "integer", minimum: 1, maximum: 5 },
        flag: { type: "boolean" },
        list: { type: "array", items: { type: "number" }, maxItems: 2 },
        inner: object({ a: { type: "string" } }, { required: ["a"] }),
      },
      { required: ["name"] },
    ),
  );

  it("are accepted as the schema says, with numbers and truth values as text", () => {
    expect(
      schema.parse({
        name: "Ann",
        count: " 3 ",
        flag: "true",
        list: ["1.5", 2],
        inner: { a: "b" },
        other: 1,
      }),
    ).toEqual({
      name: "Ann",
      count: 3,
      flag: true,
      list: [1.5, 2],
      inner: { a: "b" },
    });
  });

  it.each([
    {},
    { name: "longer" },
    { name: 1 },
    { name: "a", kind: "z" },
    { name: "a", count: 6 },
    { name: "a", count: 1.5 },
    { name: "a", count: "" },
    { name: "a", flag: "yes" },
    { name: "a", list: [1, 2, 3] },
    { name: "a", inner: {} },
  ])("are refused if they do not match: %j", (input) => {
    expect(schema.safeParse(input).success).toBe(false);
  });
});
