import { EXAMPLE, type FeatureDocs } from "../http/docs.ts";

const REQUEST = {
  method: "GET",
  url: "https://api.weather.example.org/v1/cities/{{city}}?units={{units}}",
  headers: { Authorization: "Bearer {{secrets.api_key}}" },
  body: null,
};

const SETTINGS = {
  name: "get_weather",
  description: "Get today's weather of a city.",
  parameters: {
    type: "object",
    properties: {
      city: { type: "string", description: "The name of the city." },
      units: { type: "string", enum: ["metric", "imperial"] },
    },
    required: ["city"],
  },
  ...REQUEST,
  timeout_seconds: 10,
  enabled: true,
};

const TOOL = {
  tool_id: EXAMPLE.toolId,
  ...SETTINGS,
  secrets: ["api_key"],
  created_at: EXAMPLE.at,
  updated_at: null,
};

const PLACEHOLDERS =
  "Placeholders in the URL, the headers and the body are filled for each call: `{{name}}` with an argument, `{{secrets.name}}` with a secret. Each value is encoded for its place.";

/** The texts and examples of HTTP tools. */
export const httpToolDocs: FeatureDocs = {
  operations: {
    listHttpTools: {
      tag: "Agents",
      summary: "List the HTTP tools of an agent",
      description: "Returns all tools as an array without pages, oldest first: an agent has at most 20.",
      answers: { 200: [TOOL] },
      problems: ["not-found"],
    },
    createHttpTool: {
      tag: "Agents",
      summary: "Add an HTTP tool to an agent",
      description: `Adds a tool that the agent's model may call: a JSON Schema of arguments, and the request that is sent with them. ${PLACEHOLDERS} Secrets are encrypted and never returned. Only public addresses with https are requested, and no redirect is followed. The name must be unique in the agent, and must not begin like the service's own tools; otherwise the answer is a 409 or a 422.`,
      request: { ...SETTINGS, secrets: { api_key: "EXAMPLE-key-of-the-weather-service" } },
      answers: { 201: TOOL },
      problems: ["not-found", "conflict"],
    },
    getHttpTool: {
      tag: "Agents",
      summary: "Get an HTTP tool",
      description: "Returns a tool with the names of its secrets, without their values.",
      answers: { 200: TOOL },
      problems: ["not-found"],
    },
    updateHttpTool: {
      tag: "Agents",
      summary: "Update an HTTP tool",
      description:
        "Changes a tool; absent members keep their values. In `secrets`, a text sets a secret, null removes it, and absent ones stay; all have to be named if the URL changes to another host. The next turn uses the changed tool.",
      request: { enabled: false },
      answers: { 200: { ...TOOL, enabled: false, updated_at: EXAMPLE.later } },
      problems: ["not-found", "conflict"],
    },
    deleteHttpTool: {
      tag: "Agents",
      summary: "Delete an HTTP tool",
      description: "Deletes a tool with its secrets. A tool that does not exist is a 204 as well.",
      problems: ["not-found"],
    },
    testHttpTool: {
      tag: "Agents",
      summary: "Try an HTTP tool",
      description:
        "Sends the request of a tool once, with the arguments of the body, and returns what was sent and what was answered. Secrets are shown as `***`, also where the server repeats them. Failures are part of the answer, as `error`. This is a real request: it may change something at the other server. An API key also needs the scope `agents:read`.",
      request: { arguments: { city: "Utrecht", units: "metric" } },
      answers: {
        200: {
          request: {
            method: "GET",
            url: "https://api.weather.example.org/v1/cities/Utrecht?units=metric",
            headers: { accept: "application/json", authorization: "Bearer ***" },
            body: null,
          },
          response: {
            status: 200,
            media_type: "application/json",
            text: '{"temperature":17}',
            bytes: 18,
            truncated: false,
          },
          error: null,
          duration_ms: 143,
        },
      },
      problems: ["not-found", "conflict"],
    },
  },
  schemas: {
    HttpTool: {
      description: "An HTTP tool of an agent, with the names of its secrets.",
      fields: {
        tool_id: "The id of the tool.",
        name: "The name by which the model calls the tool: letters, digits and underscores, at most 64.",
        description: "What the tool does and when to use it, for the model; at most 1,000 characters.",
        parameters:
          "A JSON Schema of type object with the keywords `type`, `description`, `properties`, `required`, `items`, `enum`, `minimum`, `maximum`, `minLength`, `maxLength`, `minItems` and `maxItems`.",
        method: "The HTTP method of the request that is sent for each call.",
        url: "The address of the request, with https. Its host can't be a placeholder.",
        headers: "The headers of the request, by name.",
        body: "The body: `json` (any JSON, in which a text that is one placeholder becomes the argument itself), `form` (fields by name) or `text`. Null for none.",
        secrets: "The names of the secrets that the request may use.",
        timeout_seconds: "After how many seconds the request is given up, 1 to 30.",
        enabled: "Whether the agent's model is offered the tool.",
      },
    },
    HttpToolReference: {
      description: "An HTTP tool for a caller that may not read it.",
      like: "HttpTool",
    },
    NewHttpTool: {
      description: "An HTTP tool to add.",
      like: "HttpTool",
      fields: {
        parameters: "The arguments of the tool, as a JSON Schema of type object. By default, it takes none.",
        secrets: "Secrets by name, at most 10, each a line of 4 to 4,096 characters.",
        timeout_seconds: "After how many seconds the request is given up, 1 to 30; 10 by default.",
        enabled: "Whether the agent's model is offered the tool; true by default.",
        "body.json": "Any JSON. Placeholders in its texts are filled.",
        "body.form": "Fields by name, sent as `application/x-www-form-urlencoded`.",
        "body.text": "Plain text. Set `Content-Type` among the headers if it is something else.",
      },
    },
    HttpToolChanges: {
      description: "Changes of an HTTP tool. Absent members keep their values.",
      like: "NewHttpTool",
      fields: { secrets: "Secrets by name: a text sets one, null removes it, absent ones stay." },
    },
    HttpToolTrialInput: {
      description: "The arguments to try a tool with.",
      fields: { arguments: "Arguments by name, as the model would send them." },
    },
    HttpToolTrial: {
      description: "What a trial of a tool sent and got, with masked secrets.",
      fields: {
        request: "The request; null if it could not be made with these arguments.",
        "request.method": "The HTTP method.",
        "request.url": "The address with its placeholders filled.",
        "request.headers": "The headers, by name in lower case.",
        "request.body": "The body as text; null for none.",
        response: "What the server answered; null if there is no answer.",
        "response.status": "The HTTP status.",
        "response.media_type": "Such as `application/json`; empty if the server names none.",
        "response.text": "The beginning of the body; null if it is not text.",
        "response.bytes": "How many bytes of the body were read.",
        "response.truncated": "Whether the body is longer than `text`.",
        error: "Why there is no answer; null if there is one.",
        duration_ms: "How long the request took, in milliseconds.",
      },
    },
  },
};
