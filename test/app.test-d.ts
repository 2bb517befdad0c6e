import { type InferRequestType, type InferResponseType, hc } from "hono/client";
import type { ExtractSchema, ParamKeys } from "hono/types";
import { expectTypeOf } from "vitest";
import type { AppType } from "../src/app.ts";

/**
 * What Hono's client knows of every route: of its path, query, body and answers. `tsc` checks this file; it is never run.
 */

type Schema = ExtractSchema<AppType>;
type Route = keyof Schema;

type IsAny<T> = 0 extends 1 & T ? true : false;

/** Whether a type is `any`, `unknown` or `never`, or has such a member somewhere in it. */
type IsVague<T> =
  IsAny<T> extends true
    ? true
    : [T] extends [never]
      ? true
      : unknown extends T
        ? true
        : T extends readonly (infer Item)[]
          ? IsVague<Item>
          : T extends object
            ? true extends { [K in keyof T]-?: IsVague<Exclude<T[K], undefined>> }[keyof T]
              ? true
              : false
            : false;

/** Whether a type says nothing at all of an answer, as that of a bare `Response` does. */
type IsEmpty<T> = [T] extends [object] ? ([keyof T] extends [never] ? true : false) : false;

expectTypeOf<true extends IsVague<unknown> ? true : false>().toEqualTypeOf<true>();
expectTypeOf<true extends IsVague<ReturnType<typeof JSON.parse>> ? true : false>().toEqualTypeOf<true>();
expectTypeOf<true extends IsVague<{ a: { b?: unknown }[] } | string> ? true : false>().toEqualTypeOf<true>();
expectTypeOf<true extends IsVague<{ a: { b?: string }[]; c: null }> ? true : false>().toEqualTypeOf<false>();

/** The routes, as `$method path`, one part of whose types is not good enough. */
type RoutesWith<Part extends "input" | "output", Among extends Route = Route> = {
  [P in Among]: {
    [M in keyof Schema[P] & string]: Schema[P][M] extends { [K in Part]: infer T }
      ? true extends IsVague<T> | (Part extends "output" ? IsEmpty<T> : false)
        ? `${M} ${P}`
        : never
      : `${M} ${P}`;
  }[keyof Schema[P] & string];
}[Among];

/** The routes whose input lacks a parameter of their path. */
type RoutesWithoutParams = {
  [P in Route]: ParamKeys<P> extends never
    ? never
    : {
        [M in keyof Schema[P] & string]: Schema[P][M] extends {
          input: { param: Record<ParamKeys<P>, string> };
        }
          ? never
          : `${M} ${P}`;
      }[keyof Schema[P] & string];
}[Route];

/** Their JSON Schema, and the JSON of their requests, have the form that the caller gives them. So have messages of MCP. */
type WithJsonOfCallers =
  | "$post /agents/:agentId/http-tools"
  | "$patch /agents/:agentId/http-tools/:toolId"
  | "$post /agents/:agentId/http-tools/:toolId/test";
/**
 * The same in answers, where calls that wait have the arguments that a model has written. The types of such JSON have no end, so they
 * are not looked into.
 */
type ShowingJsonOfCallers =
  | "/agents/:agentId/http-tools"
  | "/agents/:agentId/http-tools/:toolId"
  | "/agents/:agentId/:conversationId/send-message"
  | "/agents/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId"
  | "/agents/:agentId/end-users/:endUserId/conversations/:conversationId/runs/:runId/approvals/:callId"
  | "/conversations/:conversationId/messages/:messageId/regenerate"
  | "/conversations/:conversationId/runs/:runId"
  | "/conversations/:conversationId/runs/:runId/approvals/:callId"
  | "/v1/responses"
  | "/v1/responses/:responseId"
  | "/v1/responses/:responseId/cancel";

// The fields of a form depend on the provider that the path names; the bodies of other services have members of any type.
expectTypeOf<RoutesWith<"input">>().toEqualTypeOf<
  | "$post /settings/providers/:providerName"
  | "$post /agents/:agentId/chat"
  | "$post /v1/chat/completions"
  | "$post /v1/responses"
  | WithJsonOfCallers
>();
// The protocol's SDK makes the answers of MCP.
expectTypeOf<
  RoutesWith<"output", Exclude<Route, ShowingJsonOfCallers>>
>().toEqualTypeOf<"$post /mcp/agents/:agentId">();
expectTypeOf<RoutesWithoutParams>().toBeNever();
expectTypeOf<"/agents/:agentId/archival-memory/search" | "/payments/stripe/webhook">().toExtend<Route>();

const client = hc<AppType>("https://api.example.com");
const agent = client.agents[":agentId"];
const conversation = client.conversations[":conversationId"];

type NewAgent = InferRequestType<typeof client.agents.$post>["json"];
expectTypeOf<NewAgent["agent_name"]>().toEqualTypeOf<string>();
expectTypeOf<NewAgent["agent_model"]>().toEqualTypeOf<string | null | undefined>();
expectTypeOf<NewAgent["temperature"]>().toEqualTypeOf<number | string | null | undefined>();
expectTypeOf<NewAgent["fallback_provider"]>().not.toEqualTypeOf<string | null | undefined>();
expectTypeOf<NewAgent["allowed_origins"]>().toEqualTypeOf<string[] | "" | null | undefined>();

type AgentView = InferResponseType<typeof agent.$get, 200>;
expectTypeOf<AgentView["agent_name"]>().toEqualTypeOf<string>();
expectTypeOf<AgentView["temperature"]>().toEqualTypeOf<number | null>();
expectTypeOf<InferRequestType<typeof agent.$get>["param"]>().toEqualTypeOf<{ agentId: string }>();
expectTypeOf<InferResponseType<typeof agent.$delete, 202>["status"]>().toEqualTypeOf<"deleting">();
expectTypeOf<InferResponseType<typeof agent.$delete, 204>>().toEqualTypeOf<null>();

type List = InferRequestType<typeof client.conversations.$get>["query"];
expectTypeOf<List["limit"]>().toEqualTypeOf<number | string | undefined>();
expectTypeOf<List["cursor"]>().toEqualTypeOf<string | undefined>();
expectTypeOf<{}>().toExtend<List>();

const memories = agent["archival-memory"];
const blocks = agent["memory-blocks"];
expectTypeOf<InferRequestType<typeof memories.$get>["query"]["end_user_id"]>().toEqualTypeOf<
  string | undefined
>();
expectTypeOf<InferRequestType<typeof memories.search.$get>["query"]["query"]>().toEqualTypeOf<
  string | undefined
>();
expectTypeOf<InferRequestType<typeof memories.$post>["query"]>().toEqualTypeOf<
  { end_user_id?: string | undefined; end_user?: string | undefined } | undefined
>();
expectTypeOf<NonNullable<InferRequestType<typeof blocks.$get>["query"]>>().toHaveProperty("end_user_id");
expectTypeOf<InferRequestType<typeof blocks.$post>["json"]["word_limit"]>().toEqualTypeOf<
  number | string | null | undefined
>();

const send = client.agents[":agentId"][":conversationId"]["send-message"];
type Sent = InferRequestType<typeof send.$post>;
expectTypeOf<Sent["param"]>().toEqualTypeOf<{ agentId: string; conversationId: string }>();
expectTypeOf<Sent["json"]["content"]>().toEqualTypeOf<string>();
type WholeAnswer = Exclude<InferResponseType<typeof send.$post, 200>, string>;
expectTypeOf<WholeAnswer["run_id"]>().toEqualTypeOf<string>();

const run = conversation.runs[":runId"];
expectTypeOf<InferRequestType<typeof run.$get>["param"]>().toEqualTypeOf<{
  conversationId: string;
  runId: string;
}>();
expectTypeOf<InferResponseType<typeof run.$get, 200>>().toHaveProperty("run_id");
expectTypeOf<InferResponseType<typeof run.cancel.$post, 200>>().toHaveProperty("run_id");
