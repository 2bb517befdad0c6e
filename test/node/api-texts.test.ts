import { describe, expect, it } from "vitest";
import { type ApiDocument, renderMap, renderReference } from "../../scripts/api-description/markdown.ts";
import { describeApi, describedFiles } from "../../scripts/openapi.ts";

const api = describeApi();
const reference = renderReference(api);
const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    method: method.toUpperCase(),
    path,
    ...operation,
  })),
);

/** Returns what stands below a heading, up to the next one of the same level or of a higher one. */
function below(heading: string): string {
  const level = heading.indexOf(" ");
  const [, rest = ""] = reference.split(`\n${heading}\n`);
  return rest.split(new RegExp(`\n#{1,${level}} `, "u"), 1)[0] ?? "";
}

describe("the reference as Markdown", () => {
  it.each(operations)("describes $operationId", ({ method, path, summary, description, parameters = [] }) => {
    const text = below(`### ${summary}`);

    expect(text).toContain(`\`${method} ${path}\``);
    expect(text).toContain(description);
    for (const { name } of parameters) expect(text).toContain(`\n- \`${name}\` (`);
    expect(text).toContain("**Problems**: ");
  });

  it("shows an operation with its callers, body, answers, examples and problems", () => {
    const text = below("### Send a message and stream the answer");

    expect(text).toContain(
      "Callers: a person who has signed in, an API key with `conversations:write`, an end user.",
    );
    expect(text).toContain('- `reasoning` (query, `"0"` or `"1"`): ');
    expect(text).toContain("**Body** (application/json): [NewMessage](#schema-newmessage)");
    expect(text).toContain("**Answer 200** (text/event-stream): [RunEvent](#schema-runevent).");
    expect(text).toContain('data: {"content":"Loading memory...",');
    expect(text).toContain("409 `conflict`, `conversation-busy`, `provider-not-configured`");
  });

  it.each(Object.entries(api.components.schemas))("describes %s with its members", (name, schema) => {
    const text = below(`### Schema ${name}`);

    expect(text).toContain(schema.description);
    for (const property of Object.keys(schema.properties ?? {}))
      expect(text).toContain(`- \`${property}\` (`);
  });

  it("has a heading for every link, and no two headings that are the same", () => {
    const headings = [...reference.matchAll(/^#{1,3} (.+)$/gmu)].map(([, heading = ""]) => heading);
    const anchors = new Set(headings.map((heading) => heading.toLowerCase().replaceAll(" ", "-")));
    const links = [...reference.matchAll(/\]\(#([^)]+)\)/gu)].map(([, anchor = ""]) => anchor);

    expect(new Set(headings).size).toBe(headings.length);
    expect(links.length).toBeGreaterThan(100);
    expect([...new Set(links)].filter((anchor) => !anchors.has(anchor))).toEqual([]);
  });

  it("explains every problem that an operation names, once", () => {
    const named = new Set(
      [...reference.matchAll(/\*\*Problems\*\*: (.+)/gu)].flatMap(([, text = ""]) =>
        [...text.matchAll(/`([\w-]+)`/gu)].map(([, code]) => code),
      ),
    );
    const explained = [...below("## Problems").matchAll(/^- \d{3} `([\w-]+)`: \S/gmu)].map(
      ([, code]) => code,
    );

    expect(new Set(explained)).toEqual(named);
    expect(explained).toHaveLength(named.size);
  });

  it("writes limits, lists, alternatives and objects within objects in words", () => {
    const schemas: ApiDocument["components"]["schemas"] = {
      Thing: {
        type: "object",
        required: ["name"],
        properties: {
          name: { type: "string", minLength: 1, maxLength: 20, description: "The\nname." },
          sizes: {
            type: "array",
            maxItems: 3,
            items: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          },
          owner: { anyOf: [{ type: "object", properties: { email: { type: "string" } } }, { type: "null" }] },
          kind: { enum: ["a", "b"] },
          notes: { type: "object", additionalProperties: { type: ["string", "null"] } },
        },
      },
    };

    const text = renderReference({ ...api, tags: [], paths: {}, components: { ...api.components, schemas } });

    expect(text).toContain(
      [
        "- `name` (string of 1 to 20 characters): The name.",
        "- `sizes` (list of integer at least 0 (at most 3), optional)",
        "- `owner` (object or null, optional)",
        "  - `email` (string, optional)",
        '- `kind` (`"a"` or `"b"`, optional)',
        "- `notes` (object with values string or null, optional)",
      ].join("\n"),
    );
  });
});

describe("llms.txt", () => {
  const map = renderMap(api);

  it("begins as the form demands: a title, a summary in a quotation, then lists of links", () => {
    expect(map).toMatch(/^# Dynamic Agent Builder API\n\n> .+\n\n.+\n\n## Reference\n\n- \[/u);
  });

  it("leads to the reference, the description and every section, and names every operation", () => {
    const links = [...map.matchAll(/\]\(([^)]+)\)/gu)].map(([, target = ""]) => target);

    expect(links).toEqual(expect.arrayContaining(["/docs.md", "/openapi.json", "/docs"]));
    for (const { name } of api.tags) expect(links).toContain(`/docs.md#${name.toLowerCase()}`);
    for (const { operationId } of operations) expect(map).toContain(operationId);
    const anchors = links.filter((link) => link.startsWith("/docs.md#")).map((link) => link.split("#")[1]);
    for (const anchor of anchors) expect(reference.toLowerCase()).toContain(`\n## ${anchor}\n`);
  });

  it("is short", () => {
    expect(map.length).toBeLessThan(8_000);
  });
});

it("keeps the description and both texts in the project", () => {
  expect(Object.keys(describedFiles())).toEqual(["docs/openapi.json", "docs/reference.md", "docs/llms.txt"]);
});
