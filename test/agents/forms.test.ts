import { expect, it } from "vitest";
import { signUp } from "../support/app.ts";
import { requestIn } from "../http/route-cases.ts";

const architectures = {
  input_type: "select",
  name: "agent_architecture",
  label: "Architecture",
  values: ["krishna-mini", "krishna-memgpt"],
  options: [
    { value: "krishna-mini", label: "Krishna Mini (conversation only)" },
    { value: "krishna-memgpt", label: "Krishna MemGPT (remembers)" },
  ],
};
const persona = { input_type: "text_area", name: "agent_persona", label: "Persona" };
const providers = {
  input_type: "select",
  name: "agent_provider",
  label: "Provider Name",
  values: ["Demo"],
};
const models = {
  input_type: "select",
  name: "agent_model",
  label: "Model",
  options: [{ value: "demo", label: "[Demo] Demo model (pattern matching, no AI)" }],
};
const timeout = {
  input_type: "select",
  name: "session_timeout_minutes",
  label: "Session Timeout",
  options: [
    { value: "30", label: "30 minutes" },
    { value: "60", label: "1 hour (Default)" },
    { value: "120", label: "2 hours" },
    { value: "240", label: "4 hours" },
    { value: "0", label: "No timeout (load all)" },
  ],
};

it("describes the form that creates an agent", async () => {
  const client = await signUp();

  const { status, body } = await client("GET", "/agents/supported-models");

  expect(status).toBe(200);
  expect(body).toEqual({
    form_name: "Create Agent Form",
    submit_path: "/agents",
    form_inputs: [
      { input_type: "text", name: "agent_name", label: "Agent Name" },
      architectures,
      persona,
      providers,
      models,
      { ...timeout, value: "60" },
    ],
  });
});

it("describes the form that changes an agent: no name, no default, and no look at the agent", async () => {
  const client = await signUp();

  const { status, body } = await client("GET", "/agents/update-schema/test-id");

  expect(status).toBe(200);
  expect(body).toEqual({
    form_name: "Update Agent Form",
    submit_path: "/agents/test-id",
    form_inputs: [architectures, persona, providers, models, timeout],
  });
});

it("leads a form to no other path, whatever the id", async () => {
  const client = await signUp();

  const { body } = await client("GET", `/agents/update-schema/${encodeURIComponent("../x?y#z")}`);

  expect(body.submit_path).toBe(`/agents/${encodeURIComponent("../x?y#z")}`);
});

it("takes what its own form posts: texts, and empty ones for what was not touched", async () => {
  const client = await signUp();
  const form = (await client("GET", "/agents/supported-models")).body;
  const filled: Record<string, string> = { agent_name: "Ada", agent_persona: "You are Ada." };
  for (const { name, value, values, options } of form.form_inputs)
    filled[name] ??= value ?? values?.[0] ?? options?.[0]?.value ?? "";

  const created = await client("POST", "/agents", { ...filled, agent_model: "" });
  const untouched = Object.fromEntries(Object.keys(filled).map((name) => [name, ""]));
  const updated = await client("PUT", `/agents/${created.body.agent_id}`, untouched);

  expect(created.status).toBe(201);
  expect(updated.status).toBe(200);
  expect(updated.body).toEqual(created.body);
});

it("offers nothing in production that would not answer there", async () => {
  const { token } = await signUp();

  const { body } = await requestIn({ ENVIRONMENT: "production" }, "GET", "/agents/supported-models", {
    token,
  });

  expect(JSON.stringify(body)).not.toContain("Demo");
});
