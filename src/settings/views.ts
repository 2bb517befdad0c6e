import * as z from "zod";
import { Form } from "../shared/forms.ts";
import { fieldsOf } from "./forms.ts";
import { UNREADABLE } from "./problems.ts";
import type { ProviderStatus } from "./service.ts";

/** Shorter secrets get no hint, because four characters would reveal too much of them. */
const MIN_HINTED = 16;
const HINT_CHARS = 4;

/** What answers reveal about credentials, which is never the credentials themselves. */
const Configured = {
  is_configured: z.boolean(),
  key_hint: z.string().nullable(),
  problem: z.string().nullable(),
};

export const ProviderListing = z
  .object({ provider_name: z.string(), form: Form, ...Configured })
  .meta({ id: "ProviderListing" });

export const ProviderView = z
  .object({
    provider_name: z.string(),
    ...Configured,
    created_at: z.string().nullable(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "Provider" });

export const toListing = (status: ProviderStatus, form: Form): z.infer<typeof ProviderListing> => ({
  provider_name: status.provider.name,
  form,
  ...configured(status),
});

export const toView = (status: ProviderStatus): z.infer<typeof ProviderView> => ({
  provider_name: status.provider.name,
  ...configured(status),
  created_at: status.settings?.createdAt || null,
  updated_at: status.settings?.updatedAt ?? null,
});

const configured = (status: ProviderStatus) => ({
  is_configured: status.credentials !== undefined,
  key_hint: hintOf(status),
  problem: status.settings && !status.credentials ? UNREADABLE : null,
});

function hintOf({ provider, credentials }: ProviderStatus): string | null {
  const secret = fieldsOf(provider).find(({ name, secret }) => secret && credentials?.[name]);
  const value = secret && credentials?.[secret.name];
  return value && value.length >= MIN_HINTED ? value.slice(-HINT_CHARS) : null;
}
