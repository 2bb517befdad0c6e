import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { useStand } from "./stand.ts";

const stand = useStand();

it("serves the service to a browser, and lets tests make accounts", async () => {
  const page = await stand.open("/health");
  expect(await page.locator("body").innerText()).toContain('{"status":"healthy"}');

  const account = await stand.signUp();
  expect(await account.call("GET", "/auth/me")).toMatchObject({ name: account.username });
});

/** Opens a page of this stand's origin that runs a script before anything else. */
async function runInPage(script: string) {
  const context = await stand.context();
  await context.addInitScript(script);
  const page = await context.newPage();
  await page.goto("/health");
  return page;
}

it.each([
  ["errors on the console", 'console.error("This is wrong.")', "console: This is wrong."],
  ["errors that nobody catches", 'setTimeout(() => { throw new Error("Oh") })', "uncaught: Error: Oh"],
  [
    "violations of the content security policy",
    'addEventListener("load", () => { document.body.innerHTML = "<img src=/health>" })',
    "content security policy: img-src forbids",
  ],
  [
    "requests to other origins",
    'addEventListener("load", () => open("http://elsewhere.example/"))',
    "request to another origin: http://elsewhere.example/",
  ],
])("notices %s", async (_case, script, fault) => {
  await runInPage(script);

  const noticed: string[] = [];
  await expect
    .poll(() => {
      noticed.push(...stand.takeFaults());
      return noticed.join("\n");
    })
    .toContain(fault);
  // Whatever else belongs to it.
  stand.allow(/./u);
});

it("lets a test provoke faults that it names", async () => {
  const page = await runInPage('console.error("Expected.")');
  await expect.poll(() => stand.takeFaults().join("\n")).toContain("console: Expected.");

  stand.allow(/console: Expected\./u);
  // This one is there when the test ends, which must not fail because of it.
  await page.evaluate('console.error("Expected.")');
});

it("lets a test name another origin", async () => {
  const server = createServer((_, response) => response.end("elsewhere"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  // A server that listens on TCP has an address of this shape.
  const other = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stand.allowOrigin(other);

  const page = await runInPage("");
  await page.goto(other);

  expect(await page.locator("body").innerText()).toBe("elsewhere");
});
