import { expect, it } from "vitest";
import { ada, signUp } from "../support/app.ts";
import { requestIn } from "../http/route-cases.ts";
import { ask, behaviour, newKey } from "../settings/settings-app.ts";

/** The inputs after the name, for an account with the demo model only. */
const inputs = (isNew: boolean) => {
  const required = isNew && { required: true };
  const none = "If empty, the provider's default applies. `none` restores that default.";
  const models = [{ value: "demo", label: "[Demo] Demo model (pattern matching, no AI)", for: "Demo" }];
  return [
    {
      input_type: "select",
      name: "agent_architecture",
      label: "Architecture",
      values: ["krishna-mini", "krishna-memgpt"],
      options: [
        { value: "krishna-mini", label: "Krishna Mini (conversation only)" },
        { value: "krishna-memgpt", label: "Krishna MemGPT (remembers)" },
      ],
      ...required,
    },
    { input_type: "text_area", name: "agent_persona", label: "Persona", max: 40_000, ...required },
    { input_type: "select", name: "agent_provider", label: "Provider Name", values: ["Demo"], ...required },
    {
      input_type: "select",
      name: "agent_model",
      label: "Model",
      options: models,
      max: 200,
      depends_on: "agent_provider",
    },
    {
      input_type: "select",
      name: "session_timeout_minutes",
      label: "Session Timeout",
      ...(isNew && { value: "60" }),
      options: [
        { value: "30", label: "30 minutes" },
        { value: "60", label: "1 hour (Default)" },
        { value: "120", label: "2 hours" },
        { value: "240", label: "4 hours" },
        { value: "0", label: "No timeout (load all)" },
      ],
      min: 0,
      max: 43_200,
    },
    {
      input_type: "text",
      name: "temperature",
      label: "Temperature",
      attr: { inputmode: "decimal" },
      min: 0,
      max: 2,
      help: none,
    },
    {
      input_type: "text",
      name: "max_output_tokens",
      label: "Longest Answer (tokens)",
      attr: { inputmode: "numeric" },
      min: 1,
      max: 200_000,
      help: none,
    },
    {
      input_type: "text",
      name: "context_window",
      label: "Context Window (tokens)",
      attr: { inputmode: "numeric" },
      min: 2_048,
      max: 20_000_000,
      help: "If empty, the model's known window applies. `none` restores it.",
    },
    {
      input_type: "select",
      name: "fallback_provider",
      label: "Fallback Provider",
      options: [
        { value: "none", label: "None" },
        { value: "Demo", label: "Demo" },
      ],
      help: "Answers if the provider fails before it has said anything.",
    },
    {
      input_type: "select",
      name: "fallback_model",
      label: "Fallback Model",
      options: models,
      max: 200,
      depends_on: "fallback_provider",
    },
    {
      input_type: "text_area",
      name: "tool_approvals",
      label: "Tools That Ask First",
      help: "One tool per line, with `always`, `first` (once per conversation) or `never`: `send_mail: always`. `*` stands for all other tools. `none` removes all lines.",
    },
    {
      input_type: "text",
      name: "end_user_messages_per_month",
      label: "Messages per End User and Month",
      attr: { inputmode: "numeric" },
      min: 1,
      max: 1_000_000,
      help: "If empty, only the plan's limit applies. `none` removes a limit that was set here.",
    },
  ];
};

it("describes the form that creates an agent", async () => {
  const client = await signUp();

  const { status, body } = await client("GET", "/agents/supported-models");

  expect(status).toBe(200);
  expect(body).toEqual({
    form_name: "Create Agent Form",
    submit_path: "/agents",
    form_inputs: [
      { input_type: "text", name: "agent_name", label: "Agent Name", required: true, min: 1, max: 200 },
      ...inputs(true),
    ],
  });
});

it("describes the form that changes an agent, without a name and without required fields", async () => {
  const client = await signUp();

  const { status, body } = await client("GET", "/agents/update-schema/test-id");

  expect(status).toBe(200);
  expect(body).toEqual({
    form_name: "Update Agent Form",
    submit_path: "/agents/test-id",
    form_inputs: inputs(false),
  });
});

it("offers the providers that its user has configured, and their models under them", async () => {
  const [client, other] = await Promise.all([signUp(), signUp()]);
  await ask(client)("POST", "/settings/providers/Keyed", { api_key: newKey() });

  const { body } = await ask(client)("GET", "/agents/supported-models");

  const input = (wanted: string) => body.form_inputs.find(({ name }: { name: string }) => name === wanted);
  expect(input("agent_provider").values).toEqual(["Keyed", "Demo"]);
  expect(input("agent_model").options).toEqual([
    { value: "live-1", label: "[Keyed] Live One", for: "Keyed" },
    { value: "demo", label: "[Demo] Demo model (pattern matching, no AI)", for: "Demo" },
  ]);
  expect(input("fallback_model").options).toEqual(input("agent_model").options);
  const { body: foreign } = await ask(other)("GET", "/agents/supported-models");
  expect(JSON.stringify(foreign)).not.toContain("Keyed");
});

it("offers models that are known to lack tools only to architectures without tools", async () => {
  const client = await signUp();
  const api_key = newKey();
  behaviour.set(api_key, async () => [
    { id: "unable", name: "Unable", tools: false },
    { id: "able", name: "Able", tools: true },
    { id: "gpt-3.5-turbo", name: "Known To Be Unable" },
    { id: "new", name: "Unknown" },
  ]);
  await ask(client)("POST", "/settings/providers/Keyed", { api_key });

  const { body } = await ask(client)("GET", "/agents/supported-models");

  const input = (wanted: string) => body.form_inputs.find(({ name }: { name: string }) => name === wanted);
  const options: { value: string; for: string; architectures?: string[] }[] = input("agent_model").options;
  expect(options.filter((one) => one.for === "Keyed").map((one) => [one.value, one.architectures])).toEqual([
    ["unable", ["krishna-mini"]],
    ["able", undefined],
    ["gpt-3.5-turbo", ["krishna-mini"]],
    ["new", undefined],
  ]);
  expect(input("fallback_model").options).toEqual(options);
});

it.each(["/agents/supported-models", "/agents/update-schema/x"])(
  "states in %s the rules by which a submission is validated",
  async (path) => {
    const client = await signUp();
    const { body: form } = await client("GET", path);
    const created = await client("POST", "/agents", ada);
    const isNew = path.endsWith("models");
    const submit = (values: Record<string, unknown>) =>
      isNew
        ? client("POST", "/agents", { ...ada, agent_name: crypto.randomUUID(), ...values })
        : client("PUT", `/agents/${created.body.agent_id}`, values);
    const isNumber = (name: string) => /timeout|temperature|tokens|window|messages/u.test(name);
    const valueOf = (name: string, size: number) => (isNumber(name) ? size : "x".repeat(size));

    for (const { name, required = false, min, max } of form.form_inputs) {
      const statuses = {
        absent: (await submit({ [name]: "" })).status < 300,
        largest: max === undefined || (await submit({ [name]: valueOf(name, max) })).status < 300,
        larger: max !== undefined && (await submit({ [name]: valueOf(name, max + 1) })).status < 300,
        smallest: min === undefined || (await submit({ [name]: valueOf(name, min) })).status < 300,
        smaller:
          min !== undefined &&
          isNumber(name) &&
          (await submit({ [name]: valueOf(name, min - 1) })).status < 300,
      };
      expect({ name, ...statuses }).toEqual({
        name,
        absent: !required,
        largest: true,
        larger: false,
        smallest: true,
        smaller: false,
      });
    }
  },
);

it("never lets an id change the path of a form", async () => {
  const client = await signUp();

  const { body } = await client("GET", `/agents/update-schema/${encodeURIComponent("../x?y#z")}`);

  expect(body.submit_path).toBe(`/agents/${encodeURIComponent("../x?y#z")}`);
});

it("accepts the submission of its own form: texts, and empty texts for untouched fields", async () => {
  const client = await signUp();
  const form = (await client("GET", "/agents/supported-models")).body;
  const filled: Record<string, string> = {
    agent_name: "Ada",
    agent_persona: "You are Ada.",
    temperature: "1",
  };
  for (const { name, value, values, options } of form.form_inputs)
    filled[name] ??= value ?? values?.[0] ?? options?.[0]?.value ?? "";

  const created = await client("POST", "/agents", { ...filled, agent_model: "" });
  const untouched = Object.fromEntries(Object.keys(filled).map((name) => [name, ""]));
  const updated = await client("PUT", `/agents/${created.body.agent_id}`, untouched);

  expect(created.status).toBe(201);
  expect(updated.status).toBe(200);
  expect(updated.body).toEqual(created.body);
});

it("offers only providers that work in production", async () => {
  const { token } = await signUp();

  const { body } = await requestIn({ ENVIRONMENT: "production" }, "GET", "/agents/supported-models", {
    token,
  });

  expect(JSON.stringify(body)).not.toContain("Demo");
});
