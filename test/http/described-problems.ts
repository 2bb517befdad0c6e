import { expect } from "vitest";
import { OPERATIONS } from "../../scripts/api-description/all-docs.ts";
import { codesOf } from "../../scripts/api-description/problems.ts";
import { accessOf } from "../../src/access/require-access.ts";
import { docOf, operationAmong } from "../../src/http/openapi.ts";
import { type Answer, app, type Client } from "../support/app.ts";

/** Codes of requests that reach no operation. */
const OF_NO_OPERATION: readonly string[] = ["method-not-allowed"];

/** Expects that the API description names the problem with which a request was answered, if it was. */
export function expectDescribedProblem(method: string, path: string, { body }: Pick<Answer, "body">): void {
  const code: unknown = body?.code;
  if (typeof code !== "string" || OF_NO_OPERATION.includes(code)) return;
  const operation = operationAt(method, path);
  if (operation === undefined) return;

  const described: readonly string[] = operation.codes;
  if (!described.includes(code))
    expect.fail(`${operation.id} was answered with ${code}, which its docs do not name.`);
}

/** Returns a client whose answers are checked with `expectDescribedProblem`. */
export const checkingProblems = (client: Client): Client =>
  Object.assign(
    async (method: string, path: string, body?: unknown, headers?: Record<string, string>) => {
      const answer = await client(method, path, body, headers);
      expectDescribedProblem(method, path, answer);
      return answer;
    },
    { email: client.email, token: client.token, raw: client.raw.bind(client) },
  );

/** Returns the operation that a request reaches, with the codes of the problems that the description names for it. */
function operationAt(method: string, path: string) {
  const [pathname = ""] = path.split("?", 1);
  const matched = app.router
    .match(method === "HEAD" ? "GET" : method, pathname)[0]
    .map(([[, route]]) => route);
  const first = operationAmong(matched);
  if (first === undefined || first.doc.kind !== "operation") return undefined;

  // A path may match another route, too, whose handlers come later.
  const handlers = matched.filter((route) => route.path === first.path).map(({ handler }) => handler);
  const docs = handlers.map((handler) => docOf(handler)).filter((doc) => doc !== undefined);
  const access = handlers.map((handler) => accessOf(handler)).find((one) => one !== undefined) ?? "public";
  const own = OPERATIONS.get(first.doc.id)?.problems ?? [];
  return { id: first.doc.id, codes: [...codesOf(access, docs), ...own] };
}
