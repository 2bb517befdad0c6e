import { describe, expect, it } from "vitest";
import type { RequestTemplate } from "../../src/http-tools/model.ts";
import { fillRequest } from "../../src/http-tools/request.ts";

const TEMPLATE: RequestTemplate = {
  method: "POST",
  url: "https://api.example.com/v1/users/{{user}}/notes?tag={{tag}}&limit={{limit}}&fixed=1",
  headers: { "X-User": "user {{user}}", Authorization: "Bearer {{secrets.key}}", "X-Tag": "{{tag}}" },
  body: {
    json: {
      text: "{{text}}",
      note: "For {{user}}: {{text}}",
      limit: "{{limit}}",
      tags: ["{{tag}}", "fixed"],
    },
  },
};

const fill = (args: Readonly<Record<string, unknown>>, template: Partial<RequestTemplate> = {}) =>
  fillRequest({ ...TEMPLATE, ...template }, { arguments: args, secrets: { key: "the-key" } });

const inPath = { url: "https://api.example.com/files/{{name}}/info", headers: {}, body: null };
const inHeader = { url: "https://api.example.com/", headers: { "X-Name": "{{name}}" }, body: null };
const inForm = {
  url: "https://api.example.com/",
  headers: {},
  body: { form: { q: "{{name}}", fixed: "a b" } },
};

describe("a filled request", () => {
  it("encodes each value for its place", () => {
    const { url, headers, body } = fill({ user: "a/b c", tag: "x&y=z", limit: 5, text: 'He said "hi"\n' });

    expect(url).toBe("https://api.example.com/v1/users/a%2Fb%20c/notes?tag=x%26y%3Dz&limit=5&fixed=1");
    expect(headers).toMatchObject({
      "x-user": "user a/b c",
      authorization: "Bearer the-key",
      "x-tag": "x&y=z",
      "content-type": "application/json",
    });
    expect(JSON.parse(body ?? "")).toEqual({
      text: 'He said "hi"\n',
      note: 'For a/b c: He said "hi"\n',
      limit: 5,
      tags: ["x&y=z", "fixed"],
    });
  });

  it("leaves out parameters, headers and members whose arguments are absent", () => {
    const { url, headers, body } = fill({ user: "ann", text: "Hi" });

    expect(url).toBe("https://api.example.com/v1/users/ann/notes?fixed=1");
    expect(headers).not.toHaveProperty("x-tag");
    expect(JSON.parse(body ?? "")).toEqual({ text: "Hi", note: "For ann: Hi", tags: ["fixed"] });
  });

  it("keeps lists, objects and truth values in JSON as they are", () => {
    const template = { body: { json: { list: "{{list}}", flag: "{{flag}}", object: "{{object}}" } } };
    const { body } = fill({ user: "a", list: [1, "two"], flag: false, object: { a: null } }, template);

    expect(JSON.parse(body ?? "")).toEqual({ list: [1, "two"], flag: false, object: { a: null } });
  });

  it("encodes forms, and joins lists by commas outside of JSON", () => {
    const { body, headers } = fill({ name: ["a&b", "c"] }, inForm);

    expect(headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(body).toBe("q=a%26b%2Cc&fixed=a+b");
  });

  it("does not read what an argument contains as a template", () => {
    const { url, headers, body } = fill({ user: "{{secrets.key}}", text: "{{secrets.key}} {{user}}" });

    expect(JSON.stringify([url, headers["x-user"], body])).not.toContain("the-key");
    expect(JSON.parse(body ?? "")).toMatchObject({ text: "{{secrets.key}} {{user}}" });
  });

  it("lets a header of the template replace the service's own", () => {
    expect(
      fill({ name: "x" }, { ...inForm, headers: { "CONTENT-type": "a/b", Accept: "c/d" } }).headers,
    ).toMatchObject({
      "content-type": "a/b",
      accept: "c/d",
    });
  });

  it.each([".", "..", ""])("refuses %j as a whole segment of the path", (name) => {
    expect(() => fill({ name }, inPath)).toThrow(/cannot be empty, "\." or "\.\."/u);
  });

  it("refuses an argument that completes an encoded dot of the template", () => {
    const template = { ...inPath, url: "https://api.example.com/files/%2E{{name}}/info" };
    expect(() => fill({ name: "." }, template)).toThrow(/cannot be empty/u);
    expect(fill({ name: "a" }, template).url).toBe("https://api.example.com/files/%2Ea/info");
  });

  it.each([
    ["../admin", "..%2Fadmin"],
    ["..\\admin", "..%5Cadmin"],
    ["%2e%2e", "%252e%252e"],
    ["a?b#c", "a%3Fb%23c"],
    ["//evil.example", "%2F%2Fevil.example"],
    ["@evil.example", "%40evil.example"],
    ["\ud800", "%EF%BF%BD"],
  ])("keeps %j within its segment", (name, segment) => {
    expect(fill({ name }, inPath).url).toBe(`https://api.example.com/files/${segment}/info`);
  });

  it.each(["a\r\nX-Evil: 1", "a\nb", "a\0b", "caf\u00e9", "\u2028"])("refuses %j in a header", (name) => {
    expect(() => fill({ name }, inHeader)).toThrow(
      "The header X-Name can only hold ASCII characters on one line.",
    );
  });

  it("refuses URLs and bodies that are too long", () => {
    expect(() => fill({ name: "x".repeat(9_000) }, inPath)).toThrow(/more than 8000 characters/u);
    expect(() => fill({ name: "x".repeat(300_000) }, inForm)).toThrow(/more than 200000 characters/u);
  });
});
