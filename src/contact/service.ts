import type { Clock } from "../shared/clock.ts";
import { sha256, toHex } from "../shared/crypto.ts";
import { AppError } from "../shared/errors.ts";
import { networkOf } from "../shared/ip-ranges.ts";
import { limitedFetch } from "../shared/limited-fetch.ts";
import { PAUSE_SECONDS, type Submission } from "./model.ts";
import type { ContactPauseRepository } from "./repository.ts";

/** A person waits for the answer. */
const TIMEOUT_MS = 5_000;
/** The answer of the webhook is not used. */
const MAX_ANSWER_BYTES = 64_000;

interface ContactServiceDeps {
  readonly pauses: ContactPauseRepository;
  /** Receives submissions as JSON. `undefined` if the deployment has no contact form. */
  readonly webhookUrl: string | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
}

/** Delivers what people write into the contact form. */
export class ContactService {
  readonly #pauses: ContactPauseRepository;
  readonly #webhookUrl: string | undefined;
  readonly #fetch: typeof globalThis.fetch;
  readonly #clock: Clock;

  constructor({ pauses, webhookUrl, fetch, clock }: ContactServiceDeps) {
    this.#pauses = pauses;
    this.#webhookUrl = webhookUrl;
    this.#fetch = limitedFetch(fetch, MAX_ANSWER_BYTES);
    this.#clock = clock;
  }

  /**
   * Delivers a submission. `address` is the sender's network address, if it is known. Throws `not-configured` if the
   * deployment has no contact form, `limit-exceeded` if the address has just submitted something, and `unavailable` if the
   * delivery fails; then the sender may try again at once.
   */
  async submit(submission: Submission, address: string | undefined): Promise<void> {
    const url = this.#webhookUrl;
    if (url === undefined)
      throw new AppError("not-configured", "The contact form is not set up.", {
        cause: new Error("Missing configuration: CONTACT_WEBHOOK_URL"),
      });

    const nowMs = this.#clock.now();
    // Privacy: the table keeps a part of a hash, not the address.
    const hash = toHex(await sha256(networkOf(address ?? ""))).slice(0, 16);
    const wait = await this.#pauses.begin(hash, nowMs);
    if (wait > 0) throw tooSoon(wait);

    const failure = await this.#deliver(url, submission);
    if (failure === undefined) return;
    await this.#pauses.end(hash, nowMs);
    throw new AppError("unavailable", "Your message could not be delivered. Please try again later.", {
      cause: failure,
    });
  }

  /** Returns why the delivery failed, or `undefined`. The address of the webhook may be a secret, so errors omit it. */
  async #deliver(url: string, submission: Submission): Promise<Error | undefined> {
    try {
      const response = await this.#fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(submission),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.body?.cancel();
      return response.ok ? undefined : new Error(`The webhook answered ${response.status}.`);
    } catch (error) {
      return new Error(`The webhook did not answer: ${error instanceof Error ? error.name : "unknown"}.`);
    }
  }
}

const tooSoon = (seconds: number): AppError =>
  new AppError(
    "limit-exceeded",
    `Rate limit exceeded. Please wait ${seconds} seconds before submitting again.`,
    {
      retryable: true,
      retryAfter: seconds,
      rateLimit: {
        policy: "contact",
        quota: 1,
        remaining: 0,
        window: { seconds: PAUSE_SECONDS, resetSeconds: seconds },
      },
    },
  );
