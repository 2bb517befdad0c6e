import { readFile } from "node:fs/promises";
import { cloudflareTest } from "@cloudflare/vitest-pool-workers";
import { defineConfig } from "vitest/config";

// wrangler.toml asks for these; the Worker under test gets the bindings below.
const SECRETS = {
  JWT_SECRET: "test-secret-of-more-than-thirty-two-bytes",
  ENCRYPTION_KEY: "test:dGVzdC1rZXktb2YtZXhhY3RseS0zMi1ieXRlcy0hISE=",
  AWS_ACCESS_KEY_ID: "local",
  AWS_SECRET_ACCESS_KEY: "test-secret-that-signs-requests-to-aws",
};
// Where they come from is of no interest here, and a developer's own .dev.vars has no say: the bindings win.
Object.assign(process.env, SECRETS, { WRANGLER_LOG: "error" });

/** Stripe's library names source maps that lead nowhere, and each of its hundred files would be complained about. */
const withoutStripeSourceMaps = {
  name: "without-stripe-source-maps",
  async load(id: string) {
    if (!/\/node_modules\/stripe\/.*\.js$/u.test(id)) return undefined;
    return (await readFile(id, "utf8")).replace(/^\/\/# sourceMappingURL=.*$/mu, "");
  },
};

export default defineConfig({
  test: {
    silent: "passed-only",
    // Tests wait more than they compute, so two files at a time take little more than one. Where nobody waits for them, one:
    // some look at moments, which a busy machine has later.
    maxWorkers: process.env["CI"] ? 1 : 2,
    globalSetup: ["./test/node/global-setup.ts"],
    projects: [
      {
        extends: true,
        plugins: [
          withoutStripeSourceMaps,
          cloudflareTest(({ inject }) => ({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              bindings: {
                ENVIRONMENT: "local",
                ...SECRETS,
                LEGACY_ENCRYPTION_SECRET: "the-secret-of-the-python-service",
                AWS_REGION: "us-east-1",
                DYNAMODB_TABLE: "test-table",
                DYNAMODB_ENDPOINT: inject("dynamodb"),
                DEMO_MODEL_URL: inject("model"),
                FRONTEND_URL: "https://app.example.com",
                PUBLIC_URL: "https://api.example.com",
                OIDC_ISSUER: `${inject("issuer")}/well`,
                GOOGLE_CLIENT_ID: "test-client",
                GOOGLE_CLIENT_SECRET: "test-client-secret",
                // Shorter than anybody's real patience, so that tests see it end.
                MODEL_HEADERS_TIMEOUT_MS: "1500",
                MODEL_IDLE_TIMEOUT_MS: "1500",
                MODEL_TOTAL_TIMEOUT_MS: "4000",
                SAVE_TIMEOUT_MS: "3000",
                STRIPE_API_URL: inject("stripe"),
                STRIPE_SECRET_KEY: "sk_test_of_these_tests",
                STRIPE_WEBHOOK_SECRET: "whsec_of_these_tests,whsec_that_comes_next",
              },
            },
          })),
        ],
        test: { name: "workerd", include: ["test/**/*.test.ts"], exclude: ["test/node/**"] },
      },
      {
        test: { name: "node", include: ["test/node/**/*.test.ts"] },
      },
    ],
  },
});
