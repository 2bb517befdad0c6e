import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { createApp } from "../../src/app.ts";
import { portsFrom } from "../../src/deps/ports.ts";
import { anonymous } from "../support/app.ts";

const WEBHOOK = "https://hooks.example.com/secret-part";
const submission = {
  type: "bug-report",
  subject: "A question",
  email: "somebody@example.com",
  description: "How do agents remember things?",
};

let last = 0;
/** A fresh address for every sender. */
const newAddress = () => `198.51.${Math.floor(++last / 250)}.${last % 250}`;

/** Returns a form whose webhook answers like this, and what was sent to the webhook. */
function formWith(...answers: (Response | Error)[]) {
  const sent: { url: string; body: unknown }[] = [];
  const fetch = (async (url: string, init: RequestInit) => {
    sent.push({ url, body: JSON.parse(String(init.body)) });
    const answer = answers.shift() ?? new Response("ok");
    if (answer instanceof Error) throw answer;
    return answer;
  }) as typeof globalThis.fetch;
  const app = createApp(async (variables) => {
    const ports = await portsFrom(variables);
    return { ...ports, fetch, config: { ...ports.config, contactWebhookUrl: WEBHOOK } };
  });

  async function submit(address: string, body: object = submission) {
    const ctx = createExecutionContext();
    const headers = { "content-type": "application/json", "cf-connecting-ip": address };
    const init = { method: "POST", headers, body: JSON.stringify(body) };
    const response = await app.request("/contact/submit", init, { ...env, PUBLIC_BURST: undefined }, ctx);
    await waitOnExecutionContext(ctx);
    // Tests look into bodies member by member.
    // oxlint-disable-next-line typescript/no-explicit-any
    return { status: response.status, headers: response.headers, body: (await response.json()) as any };
  }
  return { submit, sent };
}

describe("the contact form", () => {
  it("delivers a submission without a token", async () => {
    const { submit, sent } = formWith();

    const { status, body } = await submit(newAddress());

    expect([status, body]).toEqual([
      200,
      {
        success: true,
        message: "Thank you for your submission! We'll get back to you soon.",
        issue_number: null,
        issue_url: null,
      },
    ]);
    expect(sent).toEqual([{ url: WEBHOOK, body: submission }]);
  });

  it.each(["Hello\r\nBcc: everybody@example.com", "Hello\nworld", "Hello\u2028world", "Hello\0world"])(
    "refuses a subject that could begin another header of an e-mail: %j",
    async (subject) => {
      const { submit, sent } = formWith();

      const { status, body } = await submit(newAddress(), { ...submission, subject });

      expect([status, body.errors]).toEqual([
        422,
        [{ path: ["subject"], message: "subject must be one line of text.", code: "custom" }],
      ]);
      expect(sent).toEqual([]);
    },
  );

  it.each(["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "Ada <a@b.example>"])(
    "refuses anything but one e-mail address: %j",
    async (email) => {
      const { submit, sent } = formWith();

      const { status, body } = await submit(newAddress(), { ...submission, email });

      expect([status, body.errors[0].path, sent]).toEqual([422, ["email"], []]);
    },
  );

  it("accepts one submission per IPv6 network, whose owner has all of its addresses", async () => {
    const { submit, sent } = formWith();
    const network = `2001:db8:${(++last).toString(16)}:1`;

    await submit(`${network}::1`);
    const neighbour = await submit(`${network}:ffff::2`);

    expect([neighbour.status, sent.length]).toEqual([429, 1]);
  });

  it("accepts one submission per address in five minutes", async () => {
    const { submit, sent } = formWith();
    const address = newAddress();

    await submit(address);
    const { status, headers, body } = await submit(address);
    const other = await submit(newAddress());

    expect([status, body.code]).toEqual([429, "limit-exceeded"]);
    const wait = headers.get("retry-after");
    expect(Number(wait)).toBeGreaterThan(0);
    expect(body.detail).toBe(`Rate limit exceeded. Please wait ${wait} seconds before submitting again.`);
    expect([other.status, sent.length]).toEqual([200, 2]);
  });

  it.each([new Response("no", { status: 500 }), new TypeError(`fetch failed: ${WEBHOOK}`)])(
    "reports a failed delivery, keeps the webhook secret, and allows another attempt",
    async (failure) => {
      const { submit } = formWith(failure);
      const address = newAddress();

      const failed = await submit(address);
      const repeated = await submit(address);

      expect([failed.status, failed.body.detail]).toEqual([
        503,
        "Your message could not be delivered. Please try again later.",
      ]);
      expect(JSON.stringify(failed.body)).not.toContain("hooks.example.com");
      expect(repeated.status).toBe(200);
    },
  );

  it.each([
    ["type", "praise", "type must be one of: feedback, support, bug-report, feature-request."],
    ["subject", "Hi", "subject must have at least 5 characters."],
    ["subject", "x".repeat(201), "subject must have at most 200 characters."],
    ["email", "somebody", "email must be an e-mail address."],
    ["description", " short ", "description must have at least 20 characters."],
    ["description", undefined, "description is required."],
  ])("refuses %s %j, and delivers nothing", async (member, value, message) => {
    const { submit, sent } = formWith();

    const { status, body } = await submit(newAddress(), { ...submission, [member]: value });

    expect([status, body.errors]).toEqual([422, [{ path: [member], message, code: expect.any(String) }]]);
    expect(sent).toEqual([]);
  });

  it("reports that it is not configured without a webhook, and is not retryable", async () => {
    const { status, headers, body } = await anonymous("POST", "/contact/submit", submission);

    expect([status, body.code, body.detail]).toEqual([
      503,
      "not-configured",
      "The contact form is not set up.",
    ]);
    expect(headers.get("retry-after")).toBeNull();
  });
});
