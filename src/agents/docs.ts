import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const SETTINGS = {
  agent_name: "Ada",
  agent_architecture: "krishna-memgpt",
  agent_persona: "You are Ada, a friendly assistant of the city library.",
  agent_provider: "OpenAI",
  agent_model: "gpt-4o-mini",
};

const AGENT = {
  agent_id: EXAMPLE.agentId,
  ...SETTINGS,
  session_timeout_minutes: 60,
  temperature: null,
  max_output_tokens: null,
  context_window: null,
  fallback_provider: null,
  fallback_model: null,
  allowed_origins: ["https://shop.example.com"],
  tool_approvals: { send_mail: "always" },
  end_user_messages_per_month: 100,
  created_by: EXAMPLE.email,
  created_at: EXAMPLE.at,
  updated_at: null,
};

const FORM_EXAMPLE = {
  form_name: "Create Agent",
  submit_path: "/agents",
  form_inputs: [
    { input_type: "text", name: "agent_name", label: "Agent Name", required: true, min: 1, max: 200 },
    {
      input_type: "select",
      name: "agent_provider",
      label: "Provider Name",
      values: ["Demo", "OpenAI"],
      required: true,
    },
    {
      input_type: "select",
      name: "agent_model",
      label: "Model",
      options: [{ value: "gpt-4o-mini", label: "GPT-4o mini", for: "OpenAI" }],
      depends_on: "agent_provider",
    },
  ],
};

const UPDATE =
  "Changes an agent; absent and blank members keep their values, and `none` removes a value that may be absent, such as `temperature`. Running turns finish with the earlier settings. A name that another agent has is a 409. A model that the provider does not list is a 422, which names similar ones; if the list is not known at the moment, the change is accepted with an `X-Warning`.";

/** The texts about what an owner sets of an agent. */
const FIELDS = {
  agent_name: "The name, one line of at most 200 characters. No two agents of an account have the same.",
  agent_architecture:
    "How a message becomes an answer. `krishna-mini` answers with the history alone; `krishna-memgpt` also has memory and tools.",
  agent_persona: "Who the agent is and how it behaves, at most 40,000 characters. Part of every prompt.",
  agent_provider:
    "The provider of the model, matched without case. Its credentials are stored in the settings.",
  agent_model: "The id of the model; null for the provider's default.",
  session_timeout_minutes:
    "A turn after a longer pause starts without history. In minutes, up to 43,200 (30 days); 60 by default, and 0 always keeps the history.",
  temperature: "The model's temperature, 0 to 2; null for the provider's default.",
  max_output_tokens: "The longest answer in tokens, 1 to 200,000; null for the provider's default.",
  context_window:
    "How many tokens the model reads at once, 2,048 to 20,000,000; null for the known window of the model. Set it if your server loads the model with another window.",
  fallback_provider:
    "The provider that answers if the first one fails before it has said anything; null for none, or, with a `fallback_model`, for the same one.",
  fallback_model: "The model of the fallback; null for none or the provider's default.",
  allowed_origins:
    "Origins of the pages from which end users may talk to the agent, such as `https://shop.example.com`; at most 20.",
  tool_approvals:
    "Which tools wait for an approval before they are run: the tool's name and `always`, `first` (until one of its calls was approved in the conversation) or `never`. `*` stands for all other tools. A tool that is renamed needs its line again.",
  end_user_messages_per_month:
    "How many messages one end user may send in a month (UTC); null for no limit of its own. A lower limit of the plan takes precedence.",
} as const;

/** The texts and examples of agents and their forms. */
export const agentDocs: FeatureDocs = {
  operations: {
    getCreateAgentForm: {
      tag: "Agents",
      summary: "Get the form that creates an agent",
      description:
        "Describes the inputs of `createAgent` for a front end that renders them without knowing them: types, labels, choices, rules and dependencies. Only providers whose credentials are stored are offered.",
      answers: { 200: FORM_EXAMPLE },
    },
    getUpdateAgentForm: {
      tag: "Agents",
      summary: "Get the form that changes an agent",
      description:
        "Describes the inputs of `updateAgent`. It does not contain the agent's values: read those with `getAgent`.",
      answers: {
        200: {
          ...FORM_EXAMPLE,
          form_name: "Update Agent",
          submit_path: `/agents/${EXAMPLE.agentId}`,
        },
      },
    },
    createAgent: {
      tag: "Agents",
      summary: "Create an agent",
      description:
        "Creates an agent. If an agent of this name exists and agrees with the body, it is returned with 200, so a repeated request creates one agent only; if it differs, the answer is a 409 that names the fields. The plan limits how many agents there may be. A model that the provider does not list is a 422; if the list is not known at the moment, the agent is created with an `X-Warning`. An API key that is limited to certain agents can't create others.",
      request: SETTINGS,
      answers: { 200: AGENT, 201: AGENT },
      headers: ["X-Warning"],
      problems: ["conflict", "limit-exceeded"],
    },
    listAgents: {
      tag: "Agents",
      summary: "List all agents",
      description:
        "Returns all agents of the account as an array without pages, because existing clients expect it. An API key that is limited to certain agents sees only those.",
      answers: { 200: [AGENT] },
    },
    getAgent: {
      tag: "Agents",
      summary: "Get an agent",
      description: "Returns the settings of an agent.",
      answers: { 200: AGENT },
      problems: ["not-found"],
    },
    updateAgent: {
      tag: "Agents",
      summary: "Update an agent",
      description: UPDATE,
      request: { agent_persona: "You are Ada. You know every book." },
      answers: {
        200: { ...AGENT, agent_persona: "You are Ada. You know every book.", updated_at: EXAMPLE.later },
      },
      headers: ["X-Warning"],
      problems: ["not-found", "conflict"],
    },
    patchAgent: {
      tag: "Agents",
      summary: "Update an agent (the same as PUT)",
      description: UPDATE,
      request: { temperature: 0.3 },
      answers: { 200: { ...AGENT, temperature: 0.3, updated_at: EXAMPLE.later } },
      headers: ["X-Warning"],
      problems: ["not-found", "conflict"],
    },
    deleteAgent: {
      tag: "Agents",
      summary: "Delete an agent with everything it remembers",
      description:
        "Deletes the agent, its conversations, memories and end users. Knowledge bases stay. The agent is gone for everyone at once; if there is much to remove, the answer is a 202, and the rest is removed soon after. Deleting an agent that does not exist is a 204 as well.",
      problems: ["conflict"],
    },
  },
  schemas: {
    Agent: { description: "An agent.", fields: FIELDS },
    AgentReference: { description: "An agent, for callers that may not read it.", like: "Agent" },
    NewAgent: { description: "An agent to create.", like: "Agent" },
    AgentChanges: {
      description: "Changes of an agent. Absent and blank members keep their values; `none` removes a value.",
      like: "Agent",
    },
    Form: {
      description: "A form that a front end can render without knowing its fields in advance.",
      fields: {
        form_name: "The heading of the form.",
        submit_path: "The path that takes the values as a JSON object.",
        form_inputs: "The inputs, in order.",
        "form_inputs.input_type": "How the input is shown. `password` hides what is typed.",
        "form_inputs.name": "The member of the body that the value belongs to.",
        "form_inputs.label": "The label for people.",
        "form_inputs.value": "The initial value.",
        "form_inputs.values": "The choices, if their labels are their values.",
        "form_inputs.options": "The choices with their labels.",
        "form_inputs.options.value": "The value that is sent.",
        "form_inputs.options.label": "The label for people.",
        "form_inputs.options.for": "Offer it only while the input that `depends_on` names has this value.",
        "form_inputs.options.architectures":
          "Offer it only while `agent_architecture` has one of these values. Absent if it suits all of them.",
        "form_inputs.attr": "Further HTML attributes, such as `inputmode`.",
        "form_inputs.required": "Whether a value is needed.",
        "form_inputs.pattern": "A regular expression for the whole value.",
        "form_inputs.min": "The least number, or the least number of characters.",
        "form_inputs.max": "The greatest number, or the most characters.",
        "form_inputs.help": "A sentence that helps people to fill it in.",
        "form_inputs.depends_on": "The name of the input that decides which options are offered.",
      },
    },
    Unfinished: {
      description: "The answer to a deletion that continues after it.",
      fields: { status: "Always `deleting`." },
    },
  },
};
