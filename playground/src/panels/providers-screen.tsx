import { useState } from "preact/hooks";
import type { ProviderListing, ProviderTrial } from "../../../client/src/index.ts";
import { bus } from "../bus.ts";
import { useAction, useLoad } from "../data.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { useClient } from "../session.tsx";
import { Button, Confirm, Dialog, Empty, Icon, Problem, Skeleton, toast } from "../ui/index.ts";
import "./providers.css";

/** The providers of models: their keys, and whether these work. */
export function ProvidersScreen() {
  const client = useClient();
  const providers = useLoad((signal) => client.request("GET", "/settings/providers", { signal }), [client]);
  const { data, error } = providers;
  const onChanged = () => {
    providers.reload();
    bus.emit({ type: "providers-changed" });
  };
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>Model providers</h1>
          <p class="muted">
            Agents answer with a model of a provider. Keys are stored encrypted and never shown again.
          </p>
        </div>
      </div>
      {error !== undefined && <Problem error={error} retry={providers.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={8} />}
      {data?.length === 0 && (
        <Empty icon="provider" title="No providers">
          This deployment offers no providers of models.
        </Empty>
      )}
      <ul class="provider-list">
        {data?.map((provider) => (
          <ProviderCard key={provider.provider_name} provider={provider} onChanged={onChanged} />
        ))}
      </ul>
    </div>
  );
}

interface ProviderCardProps {
  readonly provider: ProviderListing;
  readonly onChanged: () => void;
}

function ProviderCard({ provider, onChanged }: ProviderCardProps) {
  const client = useClient();
  const [open, setOpen] = useState<"form" | "removal">();
  const [trial, setTrial] = useState<ProviderTrial>();
  const { provider_name: name, form, is_configured: isConfigured, key_hint: hint, problem } = provider;
  const path = { providerName: name };
  const test = useAction(async () => {
    setTrial(undefined);
    setTrial(await client.request("POST", "/settings/providers/{providerName}/test", { path }));
  });
  const remove = async () => {
    await client.request("DELETE", "/settings/providers/{providerName}", { path });
    setTrial(undefined);
    onChanged();
    toast(`The credentials of ${name} are removed.`);
  };
  const needsKey = form.form_inputs.length > 0;
  const label = form.form_name.replace(/ Configuration$/u, "");
  return (
    <li class="card stack provider-card">
      <div class="row">
        <h2>{label}</h2>
        {needsKey ? (
          <span class="badge" data-kind={problem !== null ? "danger" : isConfigured ? "ok" : undefined}>
            {problem !== null ? "Needs attention" : isConfigured ? "Connected" : "Not set up"}
          </span>
        ) : (
          <span class="badge" data-kind="ok">
            No key needed
          </span>
        )}
      </div>
      {hint !== null && <p class="muted mono">…{hint}</p>}
      {problem !== null && (
        <p class="provider-problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row">
        {needsKey && (
          <Button small kind={isConfigured ? "secondary" : "primary"} onClick={() => setOpen("form")}>
            {isConfigured ? "Change" : "Connect"}
            <span class="visually-hidden"> {label}</span>
          </Button>
        )}
        {(isConfigured || !needsKey) && (
          <Button small busy={test.busy} onClick={() => void test.run()}>
            Test<span class="visually-hidden"> {label}</span>
          </Button>
        )}
        {needsKey && isConfigured && (
          <Button small kind="quiet" onClick={() => setOpen("removal")}>
            Remove<span class="visually-hidden"> {label}</span>
          </Button>
        )}
      </div>
      {trial && (
        <p class="provider-trial" data-ok={trial.ok} role="status">
          <Icon name={trial.ok ? "check" : "alert"} size={16} /> {trial.message}
        </p>
      )}
      {test.error !== undefined && <Problem error={test.error} />}
      {open === "form" && (
        <Dialog title={label} onClose={() => setOpen(undefined)}>
          <SchemaForm
            form={form}
            submitLabel="Save and test"
            onSubmit={async (values) => {
              await client.request("POST", "/settings/providers/{providerName}", { path, body: values });
              setOpen(undefined);
              onChanged();
              void test.run();
            }}
          />
        </Dialog>
      )}
      {open === "removal" && (
        <Confirm
          title={`Remove the credentials of ${label}?`}
          confirmLabel="Remove credentials"
          onConfirm={remove}
          onClose={() => setOpen(undefined)}
        >
          Agents that use {label} do not answer until credentials are stored again.
        </Confirm>
      )}
    </li>
  );
}
