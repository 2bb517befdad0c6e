import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { Page } from "playwright-core";
import { expect, it, onTestFinished } from "vitest";
import { freePort } from "../../scripts/free-port.ts";
import { violationsIn } from "./accessibility.ts";
import { createChat } from "./panels-support.ts";
import { type Account, useStand } from "./stand.ts";

const stand = useStand();

/** A program on the same machine that waits for its code, as a desktop client does. */
async function startProgram(agentId: string, changes: Readonly<Record<string, string>> = {}) {
  const port = await freePort();
  const arrived = Promise.withResolvers<URLSearchParams>();
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (pathname === "/callback") arrived.resolve(searchParams);
    response.setHeader("content-type", "text/html");
    response.end("<!doctype html><title>Done</title><link rel=icon href=data:,>Done");
  });
  server.listen(port, "127.0.0.1");
  onTestFinished(() => void server.close());

  const origin = `http://127.0.0.1:${port}`;
  stand.allowOrigin(origin);
  const redirectUri = `${origin}/callback`;
  const registered = await fetch(`${stand.url}/oauth/register`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ client_name: "Editor <b>one</b>", redirect_uris: [redirectUri] }),
  });
  // The answer is that of RFC 7591.
  const { client_id: clientId } = (await registered.json()) as { client_id: string };
  const verifier = randomBytes(32).toString("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    resource: `${stand.url}/mcp/agents/${agentId}`,
    state: "s1",
    ...changes,
  });
  return {
    page: `/oauth/authorize?${query.toString()}`,
    /** Returns what the program gets, once this page of the browser has arrived there, too: before, it would interrupt the next visit. */
    arrivalOf: async (page: Page) => {
      const answer = await arrived.promise;
      await page.waitForURL(({ href }) => href.startsWith(redirectUri));
      return answer;
    },
    clientId,
    redirectUri,
    verifier,
  };
}

async function signIn(page: Page, { username, password }: Account): Promise<void> {
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByLabel("Name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

it("asks a person who signs in first, and brings the program a code that works", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId);
  const page = await stand.open(program.page, { reducedMotion: "reduce" });

  await signIn(page, account);
  await page.getByRole("heading", { name: "Let Editor <b>one</b> use Ada?" }).waitFor();
  expect(await page.getByText(new URL(program.redirectUri).host).count()).toBe(1);
  expect(await violationsIn(page)).toEqual([]);
  await page.getByLabel("Change what the agent remembers about you").uncheck();
  await page.getByRole("button", { name: "Allow", exact: true }).click();

  const answer = await program.arrivalOf(page);
  expect(answer.get("state")).toBe("s1");
  expect(answer.get("iss")).toBe(stand.url);
  const tokens = await fetch(`${stand.url}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      client_id: program.clientId,
      code: answer.get("code") ?? "",
      redirect_uri: program.redirectUri,
      code_verifier: program.verifier,
    }),
  });
  expect(await tokens.json()).toMatchObject({ scope: "conversations:write memory:read" });

  await page.goto("/#/account");
  await page.getByRole("button", { name: "Disconnect Editor <b>one</b>" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect", exact: true }).click();
  await page.getByText("No MCP client is connected.").waitFor();
});

it("can't be agreed to while another window is in front, nor at the moment at which that closes", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId);
  const page = await stand.open(program.page);
  await signIn(page, account);
  const allow = page.getByRole("button", { name: "Allow", exact: true });
  await allow.and(page.locator(":enabled")).waitFor();

  await page.evaluate('document.hasFocus = () => false; dispatchEvent(new Event("blur"))');
  await allow.and(page.locator(":disabled")).waitFor();

  await page.evaluate('document.hasFocus = () => true; dispatchEvent(new Event("focus"))');
  await allow.click();
  expect((await program.arrivalOf(page)).get("code")).not.toBeNull();
});

it("brings the program the refusal of a person who does not agree, and asks nothing again", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId);
  const page = await stand.open(program.page);
  await signIn(page, account);

  await page.getByRole("button", { name: "Don’t allow" }).click();

  expect((await program.arrivalOf(page)).get("error")).toBe("access_denied");
  await page.goto("/#/connect");
  await page.getByText("No program is asking").waitFor();
});

it("goes on when the issuer has sent back the person", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId);
  const context = await stand.context();
  const page = await context.newPage();
  await page.goto(program.page);
  await page.getByRole("button", { name: "Create the account" }).waitFor();

  // As after a sign-in at the issuer: there is a cookie, and the page is loaded anew.
  const other = await context.newPage();
  await other.goto("/");
  await signIn(other, account);
  await other.getByRole("navigation", { name: "Main" }).waitFor();
  await page.goto("/login-success");

  await page.getByRole("heading", { name: /^Let Editor/u }).waitFor();
  expect(new URL(page.url()).hash).toBe("#/connect");
});

it("says that an agent is somebody else's, and lets the person sign in as another", async () => {
  const [account, stranger] = await Promise.all([stand.signUp(), stand.signUp()]);
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId);
  const page = await stand.open(program.page);
  stand.allow(/status of 404/u);
  await signIn(page, stranger);

  await page.getByRole("heading", { name: "This agent is not yours" }).waitFor();
  await page.getByRole("button", { name: "Use another account" }).click();
  await signIn(page, account);

  await page.getByRole("heading", { name: /^Let Editor/u }).waitFor();
  expect(await page.getByText(`You are signed in as ${account.username}`).count()).toBe(1);
});

it("shows why a request can't be granted before it leads anywhere", async () => {
  const account = await stand.signUp();
  const { agentId } = await createChat(account);
  const program = await startProgram(agentId, { code_challenge_method: "plain" });
  const foreign = await startProgram(agentId, { redirect_uri: "https://evil.example.org/" });
  const page = await stand.open(program.page);
  await signIn(page, account);

  await page.getByRole("heading", { name: /can’t be connected$/u }).waitFor();
  expect(await violationsIn(page)).toEqual([]);
  await page.getByRole("button", { name: /^Go back to 127\.0\.0\.1/u }).click();
  expect((await program.arrivalOf(page)).get("error")).toBe("invalid_request");

  stand.allow(/status of 400/u);
  await page.goto(foreign.page);
  await page.getByRole("heading", { name: "The program can’t be connected" }).waitFor();
  expect(await page.getByRole("button", { name: /Go back|Allow/u }).count()).toBe(0);
});

it("can't be framed by a page of another origin", async () => {
  const program = await startProgram("nothing");
  const frame = createServer((_request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(
      `<!doctype html><title>Frame</title><link rel=icon href=data:,><iframe src="${stand.url}${program.page}"></iframe>`,
    );
  });
  const port = await freePort();
  frame.listen(port, "127.0.0.1");
  onTestFinished(() => void frame.close());
  stand.allowOrigin(`http://127.0.0.1:${port}`);
  stand.allow(/frame|refused to connect|ERR_BLOCKED_BY_RESPONSE/iu);

  const page = await stand.open(`http://127.0.0.1:${port}/`);

  await expect.poll(() => page.frames().map((each) => each.url())).toContain("chrome-error://chromewebdata/");
});
