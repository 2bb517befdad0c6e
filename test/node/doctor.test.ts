import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, inject, it, onTestFinished } from "vitest";
import { isSameSite } from "../../scripts/doctor/settings.ts";
import { beginServer } from "./dev-process.ts";
import { BYTES, found, GOOD, KEY, NOWHERE } from "./doctor-settings.ts";

const PROJECT = join(import.meta.dirname, "../..");

describe("settings", () => {
  it("are right if everything that the service needs is there", async () => {
    expect(await found("Settings", GOOD)).toEqual(["ok: Everything that the service needs is set."]);
  });

  it.each(Object.keys(GOOD))("name %s if it is missing", async (name) => {
    const { [name as keyof typeof GOOD]: _missing, ...others } = GOOD;

    expect(await found("Settings", others)).toContainEqual(
      expect.stringContaining(`wrong: ${name} is missing or not valid.`),
    );
  });

  it.each([
    ["OUTBOUND_ALLOW", "https://a.example.com/path"],
    ["EMBEDDINGS_PER_DAY", "many"],
    ["CRAWLER_CONTACT", "a contact with spaces"],
  ])("name %s if the service could not read it", async (name, value) => {
    expect(await found("Settings", { ...GOOD, [name]: value })).toEqual([
      `wrong: ${name} is missing or not valid. See docs/configuration.md.`,
    ]);
  });

  it("suggest the name that was meant", async () => {
    const lines = await found("Settings", GOOD, { namesInFile: ["STRIPE_SECRETKEY", "JWT_SECRET"] });

    expect(lines).toContain(
      "note: STRIPE_SECRETKEY is not a setting, and nothing reads it. Did you mean `STRIPE_SECRET_KEY`?",
    );
    expect(lines).toHaveLength(2);
  });
});

describe("secrets", () => {
  it("are right if they are random", async () => {
    expect(await found("Secrets", GOOD)).toEqual(["ok: The secrets are long and random."]);
  });

  it.each([
    ["JWT_SECRET", "a".repeat(40)],
    ["JWT_SECRET", "please-change-me-before-you-deploy-9f8"],
    ["JWT_SECRET", `new:${KEY},old:${"0123".repeat(10)}`],
    ["ENCRYPTION_KEY", Buffer.alloc(32).toString("base64")],
    ["ENCRYPTION_KEY", Buffer.from("my-secret-key-of-32-characters!!").toString("base64")],
  ])("%s is refused if it can be guessed", async (name, value) => {
    const lines = await found("Secrets", { ...GOOD, [name]: value });

    expect(lines).toEqual([expect.stringContaining(`wrong: ${name} is not random`)]);
    expect(lines.join("")).not.toContain(value);
  });

  it("are refused if one is used for two things", async () => {
    expect(await found("Secrets", { ...GOOD, JWT_SECRET: BYTES })).toEqual([
      "wrong: JWT_SECRET and ENCRYPTION_KEY are the same. Make one for each.",
    ]);
  });
});

describe("origins and cookies", () => {
  it.each([
    ["https://app.example.com/", "which browsers never send as an origin: write https://app.example.com"],
    ["https://app.example.com/app", "which browsers never send as an origin: write https://app.example.com"],
    ["app.example.com", "an entry that is not an address"],
    ["http://app.example.com", "has no TLS"],
    ["https://app.example.org", "are different sites"],
    ["https://other.pages.dev", "are different sites"],
  ])("are wrong with FRONTEND_URL=%s", async (origin, sentence) => {
    const lines = await found("Origins and cookies", {
      ...GOOD,
      FRONTEND_URL: `https://app.example.com,${origin}`,
    });

    expect(lines.join("\n")).toContain(sentence);
    expect(lines.every((line) => line.startsWith("wrong: "))).toBe(true);
  });

  it("may include a developer's own machine, where nobody stays signed in", async () => {
    const variables = { ...GOOD, FRONTEND_URL: "https://app.example.com,http://localhost:5173" };

    expect(await found("Origins and cookies", variables)).toEqual([
      expect.stringContaining("note: http://localhost:5173 is on somebody's own machine"),
    ]);
  });

  it("are right if the pages and the service share a site", async () => {
    expect(await found("Origins and cookies", GOOD)).toEqual([
      "ok: Pages of https://app.example.com may call the service, and get the session's cookie.",
    ]);
  });

  it.each([
    ["https://example.com", "https://api.example.com", true],
    ["https://a.b.example.com", "https://c.example.com", true],
    ["http://localhost:5173", "http://localhost:8787", true],
    ["http://app.example.com", "https://api.example.com", false],
    ["https://one.co.uk", "https://two.co.uk", false],
    ["https://app.one.co.uk", "https://api.one.co.uk", true],
    ["https://one.workers.dev", "https://two.workers.dev", false],
    ["https://10.0.0.1", "https://10.0.0.2", false],
    ["https://com", "https://example.com", false],
  ])("%s and %s: same site %s", (one, other, expected) => {
    expect(isSameSite(new URL(one), new URL(other))).toBe(expected);
  });
});
describe("npm run doctor", () => {
  async function run(variables: Record<string, string>, ...args: readonly string[]) {
    const { exited, output } = beginServer(PROJECT, ["scripts/doctor.ts", "--", ...args], variables);
    const [code] = await exited;
    return { code: code as number, output: output() };
  }

  async function settingsFile(settings: Readonly<Record<string, string>>): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "doctor-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, "settings.env");
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
    await writeFile(file, lines.join(""));
    return file;
  }

  it("ends with code 0 if nothing is wrong", async () => {
    const variables = {
      ENVIRONMENT: "local",
      JWT_SECRET: "short",
      ENCRYPTION_KEY: BYTES,
      EMBEDDINGS_URL: inject("embeddings"),
      EMBEDDINGS_MODEL: "words",
    };

    const { code, output } = await run({}, "--env-file", await settingsFile(variables));

    expect(output).toContain("Checking a configuration for development: ");
    expect(output).toContain("ok     Embeddings");
    expect(output).toContain("Nothing is wrong.");
    expect(code).toBe(0);
  });

  it("ends with code 1 and a count if something is, takes what the environment sets first, and shows no secret", async () => {
    const file = await settingsFile({
      ...GOOD,
      DYNAMODB_ENDPOINT: "http://nowhere.invalid",
      OIDC_ISSUER: NOWHERE,
    });
    const { JWT_SECRET: _fromFile, ...secrets } = {
      JWT_SECRET: "",
      key: GOOD.AWS_SECRET_ACCESS_KEY,
      encryption: GOOD.ENCRYPTION_KEY,
      client: GOOD.GOOGLE_CLIENT_SECRET,
      short: "only-twelve!",
    };

    const { code, output } = await run(
      { DYNAMODB_ENDPOINT: NOWHERE, JWT_SECRET: "only-twelve!" },
      "--env-file",
      file,
    );

    expect(output).toContain("Checking a configuration for production: the environment and ");
    expect(output).toContain(`The database does not answer at ${NOWHERE}`);
    expect(output).toContain("JWT_SECRET is missing or not valid.");
    expect(output).toMatch(/\d things are wrong\.\n$/u);
    for (const secret of Object.values(secrets)) expect(output).not.toContain(secret);
    expect(code).toBe(1);
  });

  it("says that a file is not there", async () => {
    expect(await run({}, "--env-file", "/nowhere/settings.env")).toEqual({
      code: 1,
      output: "There is no file /nowhere/settings.env.\n",
    });
  });
});
