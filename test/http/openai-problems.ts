import { expect } from "vitest";
import type { Answer } from "../support/app.ts";

const TYPES: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  429: "rate_limit_error",
};

/** Checks that a refusal has OpenAI's form exactly, and returns the problem that it stands for. */
export function asProblem(answer: Answer, path: string): Answer {
  const { status, body } = answer;
  if (status < 400 || body === "") return answer;
  expect(answer.headers.get("content-type")).toBe("application/json");
  expect(answer.headers.get("x-should-retry")).toMatch(/^(?:true|false)$/u);
  expect(body).toEqual({
    error: {
      message: expect.any(String),
      type: TYPES[status] ?? (status < 500 ? "invalid_request_error" : "server_error"),
      param: body.error.param === null ? null : expect.any(String),
      code: expect.any(String),
    },
  });

  const { message, param, code } = body.error as { message: string; param: string | null; code: string };
  const headers = new Headers(answer.headers);
  headers.set("content-type", "application/problem+json");
  const instance = path.split("?")[0];
  const request_id = headers.get("x-request-id");
  const errors = param === null ? {} : { errors: [issueOf(message, param)] };
  const type = `urn:problem:${code}`;
  return {
    status,
    headers,
    body: { type, title: code, status, detail: message, instance, code, request_id, ...errors },
  };
}

function issueOf(detail: string, param: string) {
  const reason = detail.replace(/^The \w+ is not valid: /u, "").replace(/ \(and \d+ more\)$/u, "");
  const message = reason.startsWith(`${param}: `) ? reason.slice(param.length + 2) : reason;
  const code = message.includes("is not known here") ? "unrecognized_keys" : "custom";
  return { path: param.split("."), message, code };
}
