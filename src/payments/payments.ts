import type { Config } from "../config.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";
import type { TableClient } from "../table/client.ts";
import { SignInRepository } from "../users/sign-in-repository.ts";
import { StripeGateway } from "./gateway.ts";
import { PaymentService } from "./service.ts";
import { SubscriptionRepository } from "./subscription-repository.ts";
import { SubscriptionSync } from "./subscription-sync.ts";

/** Everything about payments; only made where somebody asks for it, because most requests don't. */
export interface Payments {
  readonly gateway: StripeGateway;
  readonly sync: SubscriptionSync;
  readonly service: PaymentService;
}

export interface PaymentsOptions {
  readonly config: Config;
  readonly table: TableClient;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
}

/** Throws a 503 where the deployment has no key of Stripe's. */
export function createPayments({ config, table, clock, fetch }: PaymentsOptions): Payments {
  const { stripe, frontendOrigins } = config;
  if (!stripe)
    throw new AppError("unavailable", "Stripe not configured", {
      cause: new Error("Missing configuration: STRIPE_SECRET_KEY"),
      retryable: false,
    });

  const gateway = new StripeGateway({ ...stripe, fetch, now: clock.now });
  const subscriptions = new SubscriptionRepository(table);
  const accounts = new SignInRepository(table);
  const sync = new SubscriptionSync({ gateway, subscriptions, accounts, clock });
  const frontendUrl = frontendOrigins[0] ?? "";
  return { gateway, sync, service: new PaymentService({ gateway, subscriptions, sync, clock, frontendUrl }) };
}
