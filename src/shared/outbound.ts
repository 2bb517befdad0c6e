import { isGlobalAddress } from "./ip-ranges.ts";
import { withoutTrailing } from "./text.ts";

/** Returns the IPv4 and IPv6 addresses of a host, or none if the host does not exist. */
export type ResolveHost = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

export interface OutboundPolicy {
  /** Local development: any host and port may be reached. */
  readonly isLocal: boolean;
  /** Hosts of this service, including their subdomains. Requests to them are refused. */
  readonly ownHosts: readonly string[];
  /** Origins that the operator allows even though they would be out of bounds, in the form of `URL.origin`. */
  readonly allowedOrigins: readonly string[];
  /** Whether plain `http:` is allowed for requests that carry no secrets, such as a crawler's. By default it is not. */
  readonly allowsPlainHttp?: boolean;
}

/** Why a URL that a user entered must not be requested. Security: fixed texts, so that they reveal nothing about the network. */
export const OUT_OF_BOUNDS = {
  unreadable: "It is not a complete web address.",
  scheme: "It has to be a web address that begins with https://.",
  insecure: "It has to begin with https://.",
  userinfo: "It must not contain a user name or password.",
  port: "Only the ports 80 and 443 are allowed.",
  host: "It has to name a public host.",
  address: "Its host has no public address.",
} as const;

export type OutOfBounds = keyof typeof OUT_OF_BOUNDS;

/** Domains that exist only inside private networks, or not at all. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "svc",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "arpa",
  "onion",
  "test",
  "invalid",
  "example",
];

/**
 * Returns why a URL must not be requested, judging by its text only, or `undefined` if it may be. Checks the parsed URL, in
 * which the parser has normalized all spellings of IP addresses.
 */
export function outOfBounds(address: string, policy: OutboundPolicy): OutOfBounds | undefined {
  const url = URL.parse(address);
  if (!url) return "unreadable";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "scheme";
  if (url.username !== "" || url.password !== "") return "userinfo";
  if (isTrusted(address, policy)) return undefined;

  if (!["", "80", "443"].includes(url.port)) return "port";
  if (!isPublicName(url.hostname, policy.ownHosts)) return "host";
  // Requests to models carry keys and conversations, so TLS is required.
  return url.protocol === "https:" || policy.allowsPlainHttp ? undefined : "insecure";
}

/**
 * Returns whether a URL may be requested without TLS and at any host, port or IP address. True for every URL in local
 * development, and for the origins that the operator allows. Another port or host name is another origin.
 */
export const isTrusted = (address: string, { isLocal, allowedOrigins }: OutboundPolicy): boolean =>
  isLocal || allowedOrigins.includes(URL.parse(address)?.origin ?? "");

function isPublicName(hostname: string, ownHosts: readonly string[]): boolean {
  // A trailing dot does not change the host that a name means.
  const host = withoutTrailing(hostname, ".").toLowerCase();
  const isLiteral = host.startsWith("[") || /^[\d.]+$/u.test(host);
  const isIn = (domain: string) => host === domain || host.endsWith(`.${domain}`);

  return (
    !isLiteral &&
    host.includes(".") &&
    !PRIVATE_SUFFIXES.some(isIn) &&
    !ownHosts.some((own) => isIn(own.toLowerCase()))
  );
}

/**
 * Returns whether all addresses of a host are public. A resolver may answer differently a second later, and a Worker can't
 * choose the address that its request goes to. The second line of defence is the platform, which only reaches public addresses.
 */
export async function hasPublicAddress(
  host: string,
  resolve: ResolveHost,
  signal?: AbortSignal,
): Promise<boolean> {
  const addresses = await resolve(withoutTrailing(host, "."), signal);
  return addresses.length > 0 && addresses.every(isGlobalAddress);
}
