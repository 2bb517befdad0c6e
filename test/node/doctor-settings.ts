import { diagnose, type DiagnoseOptions } from "../../scripts/doctor/diagnose.ts";
import { freePort } from "../../scripts/free-port.ts";

export const KEY = "3Vn0pQf8cXzK1sR7uYb2Lw9HdT4mGj6E";
export const BYTES = "q83vEjRWeJC6vN7wESM0RVZneImaq7zN3u/wEiM0RVY=";
/** Settings of production that are as they should be. */
export const GOOD = {
  JWT_SECRET: KEY,
  ENCRYPTION_KEY: BYTES,
  PUBLIC_URL: "https://api.example.com",
  FRONTEND_URL: "https://app.example.com",
  GOOGLE_CLIENT_ID: "client",
  GOOGLE_CLIENT_SECRET: "secret-of-the-client",
  AWS_ACCESS_KEY_ID: "AKIAEXAMPLE",
  AWS_SECRET_ACCESS_KEY: "the-secret-key-of-aws",
};

/** Nobody answers there, and nobody waits for it. */
export const NOWHERE = `http://127.0.0.1:${await freePort()}`;

/** What is found about a subject, as lines. Other servers than those of the test do not exist. */
export async function found(
  subject: string,
  variables: Readonly<Record<string, string>>,
  options: Partial<DiagnoseOptions> = {},
): Promise<string[]> {
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { hostname } = new URL(input instanceof Request ? input.url : input);
    return hostname === "127.0.0.1"
      ? globalThis.fetch(input, init)
      : Promise.reject(
          new TypeError("fetch failed", { cause: Object.assign(new Error(), { code: "ENOTFOUND" }) }),
        );
  };
  const diagnoses = await diagnose({ isLocal: false, variables, fetch, ...options });
  const findings = diagnoses.find((diagnosis) => diagnosis.subject === subject)?.findings ?? [];
  return findings.map(({ level, text }) => `${level}: ${text}`);
}
