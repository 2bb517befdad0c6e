import { describe, expect, it } from "vitest";
import { type Answer, anonymous, clientOf, signUp } from "../support/app.ts";
import { parseFrames } from "../support/sse.ts";

/**
 * The requests of the legacy service's single-page application, in the order in which its pages send them, with the bodies that
 * they send. Each answer has the status and the members that the pages read.
 */

interface Form {
  readonly submit_path: string;
  readonly form_inputs: readonly {
    readonly name: string;
    readonly value?: string;
    readonly values?: readonly string[];
    readonly options?: readonly { readonly value: string }[];
  }[];
}

/** What the application posts for a form: a text for every input, `""` for untouched ones. */
const filled = (form: Form, values: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(form.form_inputs.map(({ name, value }) => [name, values[name] ?? value ?? ""]));

/** What the update page posts: the values of the agent under the names of the inputs, as texts. */
const prefilled = (form: Form, agent: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    form.form_inputs.map(({ name }) => {
      const value = agent[name];
      return [name, typeof value === "string" || typeof value === "number" ? String(value) : ""];
    }),
  );

/** How the application's HTTP client handles an answer: it ends the session only after a 401. */
const endsSession = ({ status }: Answer): boolean => status === 401;

const AGENT_MEMBERS = {
  agent_id: expect.any(String),
  agent_name: "Ada",
  agent_architecture: "krishna-memgpt",
  agent_provider: "Demo",
  agent_persona: "You are Ada.",
  session_timeout_minutes: 60,
  created_by: expect.any(String),
  created_at: expect.any(String),
};

async function begin() {
  const client = await signUp();
  const { body: form } = await client("GET", "/agents/supported-models");
  const body = filled(form as Form, {
    agent_name: "Ada",
    agent_architecture: "krishna-memgpt",
    agent_provider: "Demo",
    agent_persona: "You are Ada.",
  });
  const created = await client("POST", (form as Form).submit_path, body);
  return { client, created, agentId: created.body.agent_id as string };
}

describe("the pages about signing in", () => {
  it("sign up first, and log in if the name is taken", async () => {
    const credentials = { username: `spa-${crypto.randomUUID().slice(0, 8)}`, password: "secret" };

    const signedUp = await anonymous("POST", "/auth/local/signup", credentials);
    const again = await anonymous("POST", "/auth/local/signup", credentials);
    const loggedIn = await anonymous("POST", "/auth/local/login", credentials);

    const session = { token: expect.any(String), email: expect.any(String), name: expect.any(String) };
    expect([signedUp.status, signedUp.body]).toEqual([200, session]);
    expect(again.body.detail).toBe("Username already taken");
    expect([loggedIn.status, loggedIn.body]).toEqual([200, session]);
  });

  it("read the token's claims themselves, and ask who is signed in on every page", async () => {
    const client = await signUp(`Zoë-${crypto.randomUUID().slice(0, 8)}`);

    const [, payload = ""] = client.token.split(".");
    const claims = JSON.parse(atob(payload)) as Record<string, unknown>;
    const me = await client("GET", "/auth/me");

    const name = expect.stringMatching(/^Zoë-/u);
    expect(claims).toMatchObject({ sub: client.email, name, picture: null, exp: expect.any(Number) });
    expect([me.status, me.body]).toEqual([200, { email: client.email, name, picture: null }]);
  });

  it("learn from a 401 that the session is over, and from nothing else", async () => {
    expect(endsSession(await clientOf("nonsense")("GET", "/auth/me"))).toBe(true);
    for (const path of ["/api/waitlist/join", "/contact/submit", "/nothing"])
      expect(endsSession(await anonymous("POST", path, {}))).toBe(false);
  });
});

describe("the pages about agents", () => {
  it("create an agent from the form, with empty texts for untouched fields", async () => {
    const { client, created, agentId } = await begin();

    expect([created.status, created.body]).toMatchObject([201, AGENT_MEMBERS]);
    expect((await client("GET", "/agents")).body).toMatchObject([AGENT_MEMBERS]);
    expect((await client("GET", `/agents/${agentId}`)).body).toMatchObject(AGENT_MEMBERS);
  });

  it("update an agent with the values that its page shows, as texts", async () => {
    const { client, created, agentId } = await begin();
    const { body: form } = await client("GET", `/agents/update-schema/${agentId}`);
    const values = { ...prefilled(form as Form, created.body), agent_persona: "You are Bob." };

    const { status, body } = await client("PUT", (form as Form).submit_path, values);

    expect(status).toBe(200);
    expect(body).toMatchObject({ ...AGENT_MEMBERS, agent_persona: "You are Bob." });
  });

  it("delete an agent, and can repeat that", async () => {
    const { client, agentId } = await begin();

    expect((await client("DELETE", `/agents/${agentId}`)).status).toBe(204);
    expect((await client("DELETE", `/agents/${agentId}`)).status).toBe(204);
    expect((await client("GET", `/agents/${agentId}`)).body.detail).toBe("Agent not found");
  });
});

describe("the pages of a conversation", () => {
  async function converse() {
    const started = await begin();
    const { client, agentId } = started;
    const body = { title: "Talk", description: "", agent_id: agentId };
    const conversation = await client("POST", "/conversations/", body);
    return { ...started, conversation, id: conversation.body.conversation_id as string };
  }

  it("list, open, rename and delete it", async () => {
    const { client, conversation, id } = await converse();
    const view = {
      conversation_id: id,
      title: "Talk",
      agent_id: expect.any(String),
      created_at: expect.any(String),
    };

    expect([conversation.status, conversation.body]).toMatchObject([201, view]);
    const list = await client("GET", "/conversations/?limit=10");
    expect(list.body).toMatchObject({ items: [view], next_cursor: null, has_more: false });
    expect((await client("GET", `/conversations/${id}`)).body).toMatchObject(view);
    const renamed = await client("PUT", `/conversations/${id}`, { title: "New" });
    expect([renamed.status, renamed.body.title]).toEqual([200, "New"]);
    expect((await client("DELETE", `/conversations/${id}`)).status).toBe(204);
    expect((await client("GET", `/conversations/${id}`)).status).toBe(404);
  });

  it("send a message, and show both as saved and the answer", async () => {
    const { client, agentId, id } = await converse();
    const attachments = [{ filename: "a.txt", content: "Hello", size: 5 }];

    const sent = await client("POST", `/agents/${agentId}/${id}/send-message`, {
      content: "Hi",
      attachments,
    });
    const frames = parseFrames(sent.body as string);
    const messages = (await client("GET", `/conversations/${id}/messages?limit=20`)).body.items;

    expect(sent.headers.get("content-type")).toContain("text/event-stream");
    for (const frame of frames)
      expect(Object.keys(frame).slice(0, 6)).toEqual([
        "event_type",
        "content",
        "message_id",
        "tool_name",
        "tool_args",
        "success",
      ]);
    const [answer, question] = messages;
    const at = (type: string) => frames.findIndex(({ event_type }) => event_type === type);
    const [saved, again] = [at("MESSAGE_SAVED"), at("USER_MESSAGE_SAVED")];
    expect(again).toBe(saved + 1);
    expect([frames[saved]?.message_id, frames[again]?.message_id]).toEqual([
      question.message_id,
      question.message_id,
    ]);
    expect(frames.at(-2)).toMatchObject({
      event_type: "ASSISTANT_MESSAGE_SAVED",
      message_id: answer.message_id,
      content: answer.content,
    });
    expect(frames.at(-1)).toMatchObject({ event_type: "STREAM_COMPLETE", message_id: answer.message_id });
    expect(question.attachments).toEqual([{ filename: "a.txt", size: 5 }]);
  });

  it("get the same frames again when they resume, also between the two at the end", async () => {
    const { client, agentId, id } = await converse();
    const sent = await client("POST", `/agents/${agentId}/${id}/send-message`, { content: "Hi" });
    const frames = parseFrames(sent.body as string);
    const [run, saved] = [frames[0]?.run_id, frames.at(-2)];

    const all = await client("GET", `/conversations/${id}/runs/${run}/events?after=0`);
    const end = await client("GET", `/conversations/${id}/runs/${run}/events?after=${saved?.seq}`);

    expect(all.body).toBe(sent.body);
    expect(parseFrames(end.body as string)).toEqual(frames.slice(-2));
  });

  it.each(["", "  \n"])("get a 422 for a message without content and files: %j", async (content) => {
    const { client, agentId, id } = await converse();
    const path = `/agents/${agentId}/${id}/send-message`;

    for (const attachments of [undefined, null, []]) {
      const { status, body } = await client("POST", path, { content, attachments });
      expect([status, body.errors]).toEqual([
        422,
        [
          {
            path: ["content"],
            message: "content must not be blank unless files are attached.",
            code: "custom",
          },
        ],
      ]);
    }
    const files = [{ filename: "a.txt", content: "Hello", size: 5 }];
    expect((await client("POST", path, { content, attachments: files })).status).toBe(200);
  });
});

describe("the pages about memory, providers and plans", () => {
  it("manage memory blocks, whose name is the same in requests and answers", async () => {
    const { client, agentId } = await begin();
    const base = `/agents/${agentId}/memory-blocks`;
    const block = { description: "Work", word_limit: "200" };

    expect((await client("GET", base)).body).toMatchObject([
      { block_name: "human" },
      { block_name: "persona" },
    ]);
    const created = await client("POST", base, { name: "jobs", ...block });
    const other = await client("POST", base, { block_name: "pets", ...block });
    const content = await client("PUT", `${base}/jobs/content`, { lines: ["Chef"] });

    expect([created.status, created.body]).toMatchObject([201, { name: "jobs", block_name: "jobs" }]);
    expect([other.status, other.body]).toMatchObject([201, { name: "pets", block_name: "pets" }]);
    expect(content.body).toMatchObject({ name: "jobs", block_name: "jobs", lines: ["Chef"], word_count: 1 });
    expect((await client("DELETE", `${base}/jobs`)).status).toBe(204);
  });

  it.each([
    [{}, "name is required."],
    [{ name: "a", block_name: "b" }, "name and block_name differ. Send one of them."],
  ])("refuse a block with the names %j", async (names, message) => {
    const { client, agentId } = await begin();

    const { status, body } = await client("POST", `/agents/${agentId}/memory-blocks`, {
      ...names,
      description: "Work",
    });

    expect([status, body.errors[0]]).toEqual([422, { path: ["name"], message, code: "custom" }]);
  });

  it("are answered with 304 if the content is still what they have", async () => {
    const { client, agentId } = await begin();
    const path = `/agents/${agentId}/memory-blocks/human/content`;
    const etag = (await client("GET", path)).headers.get("etag") ?? "";

    const known = await client("GET", path, undefined, { "if-none-match": `"0-x", W/${etag}` });
    const other = await client("GET", path, undefined, { "if-none-match": '"other"' });

    expect([known.status, known.headers.get("etag"), known.body]).toEqual([304, etag, ""]);
    expect(other.status).toBe(200);
  });

  it("list the providers with their forms", async () => {
    const { client } = await begin();

    const { status, body } = await client("GET", "/settings/providers");

    expect(status).toBe(200);
    for (const provider of body)
      expect(provider).toMatchObject({
        provider_name: expect.any(String),
        is_configured: false,
        form: { submit_path: `/settings/providers/${provider.provider_name}` },
      });
  });

  it("list the models of a provider in any case, and none of a provider that does not exist", async () => {
    const { client } = await begin();

    const { status, body } = await client("GET", "/llm/models/dEMO");

    expect([status, body[0]]).toMatchObject([200, { model_id: "demo", provider: "Demo" }]);
    expect((await client("GET", "/llm/models/Nope")).status).toBe(404);
  });

  it("show the plans to everybody", async () => {
    const { status, body } = await anonymous("GET", "/payments/stripe/pricing");

    expect([status, body]).toMatchObject([200, { tiers: expect.any(Array), faqs: expect.any(Array) }]);
  });

  it("delete the account, which then answers 403 and not 401", async () => {
    const { client } = await begin();

    const { status, body } = await client("DELETE", "/users/me");
    const after = await client("GET", "/agents");

    expect([status, body]).toMatchObject([
      200,
      { message: "Account deletion initiated", status: "processing" },
    ]);
    expect(after.status).toBe(403);
  });
});
