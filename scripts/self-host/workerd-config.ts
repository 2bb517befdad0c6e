import { join, relative, resolve } from "node:path";

import type { BuiltService, BuiltWorker } from "./built-service.ts";

/** Where a service listens, what it may use, and where it keeps its objects. */
export interface ServeOptions {
  readonly service: BuiltService;
  /** The folder that the service was built into. */
  readonly builtIn: string;
  /** The folder that the configuration is written to: workerd finds modules by their paths relative to it. */
  readonly configIn: string;
  /** `ADDRESS:PORT`. */
  readonly address: string;
  /** The path of the Unix socket through which scheduled work is started. */
  readonly schedulerSocket: string;
  /** An existing folder for the storage of Durable Objects. */
  readonly objectsIn: string;
  /** The names of the variables that the service reads. Their values are in the environment of workerd. */
  readonly variables: readonly string[];
  /** Origins that may have private addresses, in the form of `URL.origin`. */
  readonly privateOrigins: readonly string[];
  /** The header in which a reverse proxy passes the client's address on. */
  readonly clientAddressHeader: string | undefined;
}

/** Writes a string in Cap'n Proto, where strings look like those of JSON. */
export const text = (value: string): string => JSON.stringify(value);

/** Writes the namespaces of Durable Objects. The key names the folder of a class's objects; it must never change. */
export const namespacesOf = (objects: BuiltWorker["objects"]): string =>
  objects
    .map(
      ({ className }) => `(className = ${text(className)}, uniqueKey = ${text(className)}, enableSql = true)`,
    )
    .join(", ");

/** Writes the bindings to Durable Objects, one text for each. */
export const objectBindingsOf = (objects: BuiltWorker["objects"]): readonly string[] =>
  objects.map(
    ({ binding, className }) =>
      `(name = ${text(binding)}, durableObjectNamespace = (className = ${text(className)}))`,
  );

/** Returns workerd's configuration of the service, its stand-ins and the Workers that it is bound to. It contains no secrets. */
export function workerdConfig(options: ServeOptions): string {
  const { service, address, schedulerSocket, objectsIn } = options;
  const tls = "tlsOptions = (trustBrowserCas = true)";
  const assets = service.main.assets;
  const services = [
    worker("main", service.main, options, [
      ...options.variables.map((name) => `(name = ${text(name)}, fromEnvironment = ${text(name)})`),
      ...boundTo(service),
    ]),
    worker("stand-ins", service.standIns, options, [
      `(name = "SERVICE", service = "main")`,
      `(name = "PUBLIC_NETWORK", service = "public-network")`,
      `(name = "PRIVATE_NETWORK", service = "private-network")`,
      `(name = "PRIVATE_ORIGINS", json = ${text(JSON.stringify(options.privateOrigins))})`,
      ...(options.clientAddressHeader === undefined
        ? []
        : [`(name = "CLIENT_ADDRESS_HEADER", text = ${text(options.clientAddressHeader)})`]),
    ]),
    ...service.others.map((other) => worker(`worker:${other.name}`, other, options, [])),
    `(name = "public-network", network = (allow = ["public"], ${tls}))`,
    `(name = "private-network", network = (allow = ["public", "private"], ${tls}))`,
    `(name = "objects", disk = (path = ${text(resolve(objectsIn))}, writable = true))`,
    ...(assets === undefined
      ? []
      : [`(name = "assets", disk = (path = ${text(resolve(options.builtIn, assets.directory))}))`]),
  ];

  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${services.join(",\n    ")},
  ],
  sockets = [
    (name = "http", address = ${text(address)}, http = (), service = "stand-ins"),
    (name = "scheduler", address = ${text(`unix:${schedulerSocket}`)}, http = (), service = (name = "stand-ins", entrypoint = "Scheduler")),
  ],
);
`;
}

/** The bindings that wrangler.toml names, other than variables. */
function boundTo({ main }: BuiltService): readonly string[] {
  return [
    ...objectBindingsOf(main.objects),
    ...main.burstLimits.map((limit) => {
      const designator = `(name = "stand-ins", entrypoint = "BurstLimit", props = (json = ${text(JSON.stringify(limit))}))`;
      return `(name = ${text(limit.binding)}, service = ${designator})`;
    }),
    ...main.services.map(
      ({ binding, service }) => `(name = ${text(binding)}, service = ${text(`worker:${service}`)})`,
    ),
    ...(main.assets === undefined ? [] : [`(name = ${text(main.assets.binding)}, service = "assets")`]),
  ];
}

function worker(
  name: string,
  { modules, compatibilityDate, compatibilityFlags, objects }: BuiltWorker,
  { builtIn, configIn }: ServeOptions,
  bindings: readonly string[],
): string {
  const embedded = modules.map(
    (module) =>
      `(name = ${text(module.name)}, ${module.kind} = embed ${text(relative(configIn, join(builtIn, module.file)))})`,
  );
  return `(name = ${text(name)}, worker = (
      modules = [${embedded.join(", ")}],
      compatibilityDate = ${text(compatibilityDate)},
      compatibilityFlags = [${compatibilityFlags.map(text).join(", ")}],
      durableObjectNamespaces = [${namespacesOf(objects)}],
      durableObjectStorage = (localDisk = "objects"),
      globalOutbound = (name = "stand-ins", entrypoint = "Outbound"),
      bindings = [${bindings.join(", ")}],
    ))`;
}
