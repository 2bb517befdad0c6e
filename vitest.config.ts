import { globSync, readFileSync } from "node:fs";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";
import { fakeAi } from "./test/node/fake-ai.ts";
import { FAKE_PDF_READER } from "./test/node/fake-pdf-reader.ts";
import { MappedLines, WITHOUT_SOURCE_MAPS } from "./test/node/mapped-lines.ts";

// wrangler.toml asks for these; the Worker under test gets the bindings below.
const SECRETS = {
  JWT_SECRET: "test-secret-of-more-than-thirty-two-bytes",
  ENCRYPTION_KEY: "test:dGVzdC1rZXktb2YtZXhhY3RseS0zMi1ieXRlcy0hISE=",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "test-secret-that-signs-requests-to-aws",
};
// Where they come from is of no interest here, and a developer's own .dev.vars has no say: the bindings win.
Object.assign(process.env, SECRETS, { WRANGLER_LOG: "error" });

/**
 * The packages that the service imports, and fast-check. Vite bundles each into a few modules: as they are, they are about 860, and
 * every workerd asks for each of them by itself.
 */
function bundledPackages(): string[] {
  const sources = globSync("src/**/*.ts", { exclude: ["src/pdf-reader/**"] }).map((file) =>
    readFileSync(file, "utf8"),
  );
  const imported = sources.flatMap((source) => [
    ...source.matchAll(/^import (?!type)[^";]* from "([^".][^":]*)";$/gmu),
  ]);
  return [...new Set(imported.map(([, name = ""]) => name)), "fast-check"];
}

/** The service's own settings, and the servers that `test/node/global-setup.ts` has started. `hasAi`: with the `AI` binding. */
const workersRuntime = (hasAi: boolean) =>
  cloudflareTest(({ inject }) => ({
    // What workerd logs by itself, mostly about connections that tests break on purpose. `WORKERD_LOG=1 npm test` prints it.
    verbose: process.env["WORKERD_LOG"] === "1",
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: {
      bindings: {
        ENVIRONMENT: "local",
        ...SECRETS,
        LEGACY_ENCRYPTION_SECRET: "the-secret-of-the-python-service",
        AWS_REGION: "us-east-1",
        DYNAMODB_TABLE: "test-table",
        DYNAMODB_ENDPOINT: inject("database"),
        DEMO_MODEL_URL: inject("model"),
        FRONTEND_URL: "https://app.example.com",
        PUBLIC_URL: "https://api.example.com",
        OIDC_ISSUER: `${inject("issuer")}/well`,
        GOOGLE_CLIENT_ID: "test-client",
        GOOGLE_CLIENT_SECRET: "test-client-secret",
        // Short enough that the few tests about them can wait, and long enough for a machine that is busy with other work.
        MODEL_HEADERS_TIMEOUT_MS: "10000",
        MODEL_IDLE_TIMEOUT_MS: "10000",
        MODEL_TOTAL_TIMEOUT_MS: "15000",
        SAVE_TIMEOUT_MS: "3000",
        STRIPE_API_URL: inject("stripe"),
        STRIPE_SECRET_KEY: "sk_test_of_these_tests",
        STRIPE_WEBHOOK_SECRET: "whsec_of_these_tests,whsec_that_comes_next",
        CLOUDFLARE_AI_DAILY_TURNS: "3",
        // Politeness is tested by itself. Sites of tests are on this machine and need no rest.
        CRAWL_PAUSE_MS: "0",
        CRAWL_TIMEOUT_MS: "10000",
      },
      workers: [FAKE_PDF_READER, ...(hasAi ? [fakeAi(inject("model"), inject("embeddings"))] : [])],
      compatibilityFlags: [
        "enable_request_signal",
        // Vitest sends modules and results through a WebSocket on this machine, where compression costs more than it saves.
        "no_web_socket_compression",
        // The binding of Cloudflare takes a signal without it. An entrypoint gets its arguments by RPC.
        ...(hasAi ? ["enable_abortsignal_rpc"] : []),
      ],
      ...(hasAi && {
        serviceBindings: { AI: { name: "fake-ai", entrypoint: "FakeAi" } },
      }),
    },
  }));

/** Files that need a workerd of their own. All others share one with the files before and after them. */
const ALONE = [
  // It needs the `AI` binding, with which all lists of providers would be longer.
  "test/llm/cloudflare.test.ts",
  // It tests a warning that is logged once per isolate.
  "test/http/burst-limit.test.ts",
  // They spend most of the retries that an isolate has for requests to the database; see `retry-quota.ts`.
  "test/http/every-route.outage.test.ts",
  "test/runs/runs.crash.test.ts",
];

/** Long by nature: `npm run test:deep` runs these, and `npm test` all others. */
const DEEP = "**/*.deep.test.ts";

/** Long tests that measure whether functions over text are linear. */
const LINEAR = "test/node/linear-*.deep.test.ts";

/** Tests outside of workerd. */
const OUTSIDE = ["test/node/", "test/browser/", "test/playground/"];

const all = globSync("test/**/*.test.ts").filter(
  (file) => !OUTSIDE.some((folder) => file.startsWith(folder)),
);
const tests = all.filter((file) => !file.endsWith(".deep.test.ts"));
const SHARING = tests.filter((file) => !ALONE.includes(file));

/**
 * Files that inject faults between the service and the database, or read what it was asked; see `test/support/database-route.ts`.
 * In all other files, these functions throw. A new function that calls them is added here.
 */
const FAULTY = all.filter((file) =>
  /\b(?:injectFault|databaseRequests|untilAnswered|itemsAbout)\b/u.test(readFileSync(file, "utf8")),
);

const PACKAGES = bundledPackages();

/**
 * Tests that run in the Workers runtime. To start it and to load the app takes longer than most files do, so files share a
 * workerd, one after the other, and leave nothing behind in it.
 */
const inWorkerd = (name: string, include: string[], isolate: boolean) => ({
  extends: true as const,
  plugins: [workersRuntime(isolate), WITHOUT_SOURCE_MAPS],
  test: {
    name,
    include,
    isolate,
    setupFiles: ["./test/support/setup.ts"],
    deps: { optimizer: { ssr: { enabled: true, include: PACKAGES } } },
  },
});

/**
 * Property tests draw the same cases in each run, so that a run tells what a change has done. `PROPERTY_SEED=$RANDOM npm test` draws
 * others.
 */
const PROPERTY_SEED = 20_261_129;

export default defineConfig({
  test: {
    provide: { faulty: FAULTY, propertySeed: Number(process.env["PROPERTY_SEED"] ?? PROPERTY_SEED) },
    reporters: [new MappedLines(["isolated", "workerd", "deep"]), "default"],
    silent: "passed-only",
    // Tests wait about as much as they compute: four files at a time keep two cores busy. Projects begin in the order of their names:
    // those whose files start processes of their own first, and those that measure how long text takes (`deep-text`) last, because
    // other work on the machine disturbs them.
    maxWorkers: 4,
    // Tests of a `describe.concurrent` do little but wait.
    maxConcurrency: 20,
    // These deadlines only end tests that hang. They leave room for a machine with much other work, and for the longest test, which
    // installs all packages twice from the network; so no test has a deadline of its own.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 300_000, interval: 20 } },
    globalSetup: ["./test/node/global-setup.ts"],
    projects: [
      inWorkerd("isolated", ALONE, true),
      inWorkerd("workerd", SHARING, false),
      {
        test: {
          name: "node",
          isolate: false,
          include: ["test/node/**/*.test.ts", "test/playground/**/*.test.ts"],
          exclude: [DEEP],
        },
      },
      inWorkerd(
        "deep",
        all.filter((file) => file.endsWith(".deep.test.ts")),
        true,
      ),
      {
        test: { name: "deep-node", include: [`test/node/${DEEP}`], exclude: [LINEAR] },
      },
      {
        test: { name: "deep-text", include: [LINEAR] },
      },
      {
        // The built service and Debian's Chromium: `npm run test:browser`.
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["./test/browser/global-setup.ts"],
        },
      },
    ],
  },
});
