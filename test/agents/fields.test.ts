import { expect, it } from "vitest";
import { AGENT_FIELDS } from "../../src/agents/fields.ts";
import { ada, signUp } from "../support/app.ts";

it("returns, under its own name, every field of the table", async () => {
  const client = await signUp();

  const { body } = await client("POST", "/agents", ada);

  expect(Object.keys(body)).toEqual([
    "agent_id",
    ...Object.keys(AGENT_FIELDS),
    "created_by",
    "created_at",
    "updated_at",
  ]);
});

it("restores the provider's default model with `none`", async () => {
  const client = await signUp();
  const { body: agent } = await client("POST", "/agents", { ...ada, agent_model: "demo" });

  const { status, body } = await client("PUT", `/agents/${agent.agent_id}`, { agent_model: "none" });

  expect([agent.agent_model, status, body.agent_model]).toEqual(["demo", 200, null]);
});
