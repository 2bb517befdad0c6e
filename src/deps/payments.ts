import { ClaimService } from "../payments/claim-service.ts";
import { Claims } from "../payments/claims.ts";
import { StripeGateway } from "../payments/gateway.ts";
import { ManagementService } from "../payments/management-service.ts";
import { Payers } from "../payments/payers.ts";
import { PaymentService } from "../payments/service.ts";
import { SubscriptionRepository } from "../payments/subscription-repository.ts";
import { SubscriptionSyncService } from "../payments/subscription-sync.ts";
import { AppError } from "../shared/errors.ts";
import type { Ports } from "./ports.ts";

/** The services about payments. They are constructed on demand, because most requests do not need them. */
export interface PaymentServices {
  readonly stripeGateway: StripeGateway;
  readonly claimService: ClaimService;
  readonly managementService: ManagementService;
  readonly paymentService: PaymentService;
  readonly subscriptionSyncService: SubscriptionSyncService;
}

/** Constructs the services about payments. Throws `not-configured` if the deployment has no Stripe key. */
export function createPaymentServices({
  config: { stripe, frontendOrigins, settingsUrl },
  table,
  clock,
  fetch,
}: Pick<Ports, "config" | "table" | "clock" | "fetch">): PaymentServices {
  if (!stripe)
    throw new AppError("not-configured", "Stripe not configured", {
      cause: new Error("Missing configuration: STRIPE_SECRET_KEY"),
    });

  const gateway = new StripeGateway({ ...stripe, fetch, now: clock.now });
  const subscriptions = new SubscriptionRepository({ table });
  const claims = new Claims({ table, subscriptions });
  const sync = new SubscriptionSyncService({ gateway, subscriptions, claims, clock });
  const payers = new Payers({ gateway, subscriptions, claims, sync, clock });
  const frontendUrl = frontendOrigins[0] ?? "";
  const { portalLoginUrl } = stripe;
  return {
    stripeGateway: gateway,
    claimService: new ClaimService({ gateway, claims, sync, clock }),
    managementService: new ManagementService({
      gateway,
      subscriptions,
      sync,
      payers,
      settingsUrl,
      portalLoginUrl,
    }),
    paymentService: new PaymentService({ gateway, subscriptions, sync, payers, frontendUrl, settingsUrl }),
    subscriptionSyncService: sync,
  };
}
