import type { HttpToolPorts } from "../http-tools/calls.ts";
import { HttpToolSecrets } from "../http-tools/secrets.ts";
import { HttpToolSender } from "../http-tools/sender.ts";
import { HttpToolService } from "../http-tools/service.ts";
import type { Ports } from "./ports.ts";
import type { Repositories } from "./repositories.ts";

/** Constructs the service about HTTP tools. */
export function createHttpToolService(
  { ciphers: { vault }, providerContext: policy, clock }: Ports,
  { httpTools: tools }: Pick<Repositories, "httpTools">,
): HttpToolService {
  const secrets = new HttpToolSecrets({ vault });
  return new HttpToolService({ tools, secrets, sender: new HttpToolSender(policy), policy, clock });
}

/** Constructs what turns need to send the requests of HTTP tools. */
export function createHttpToolPorts(
  ports: Ports,
  repositories: Pick<Repositories, "httpTools">,
): HttpToolPorts {
  const service = createHttpToolService(ports, repositories);
  return {
    secrets: new HttpToolSecrets({ vault: ports.ciphers.vault }),
    sender: new HttpToolSender(ports.providerContext),
    clock: ports.clock,
    renew: (place, toolId) => service.renew(place, toolId),
  };
}
