import { isGlobalAddress } from "./ip-ranges.ts";

/** Looks a host's addresses up, IPv4 and IPv6 together; none where there is no such host. */
export type ResolveHost = (host: string, signal?: AbortSignal) => Promise<readonly string[]>;

export interface OutboundPolicy {
  /** Local development: any host and port may be reached. */
  readonly isLocal: boolean;
  /** Hosts that this service answers on; their subdomains are meant, too. */
  readonly ownHosts: readonly string[];
}

/** Why an address that somebody entered may not be asked. A fixed list: nothing of what was found out leaks by it. */
export const OUT_OF_BOUNDS = {
  unreadable: "It is not a complete web address.",
  scheme: "It has to begin with https:// or http://.",
  userinfo: "It must not contain a user name or password.",
  port: "Only the ports 80 and 443 are allowed.",
  host: "It has to name a public host.",
  address: "Its host has no public address.",
} as const;

export type OutOfBounds = keyof typeof OUT_OF_BOUNDS;

/** Names that mean something within a network only, or nothing at all. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
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
 * What stands against asking at an address, as far as its text tells; nothing where it is good. The URL parser has
 * made plain text of all the ways to write a number by then, so it is checked after parsing.
 */
export function outOfBounds(address: string, policy: OutboundPolicy): OutOfBounds | undefined {
  const url = URL.parse(address);
  if (!url) return "unreadable";
  if (url.protocol !== "https:" && url.protocol !== "http:") return "scheme";
  if (url.username !== "" || url.password !== "") return "userinfo";
  if (policy.isLocal) return undefined;

  if (!["", "80", "443"].includes(url.port)) return "port";
  return isPublicName(url.hostname, policy.ownHosts) ? undefined : "host";
}

function isPublicName(hostname: string, ownHosts: readonly string[]): boolean {
  // A name may end in a dot, and means the same.
  const host = hostname.replace(/\.+$/u, "").toLowerCase();
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
 * Whether all addresses of a host are public. A resolver may answer differently a second later, and no Worker can see
 * or choose the address that its request goes to: the platform, which reaches public addresses only, is the second wall.
 */
export async function hasPublicAddress(
  host: string,
  resolve: ResolveHost,
  signal?: AbortSignal,
): Promise<boolean> {
  const addresses = await resolve(host.replace(/\.+$/u, ""), signal);
  return addresses.length > 0 && addresses.every(isGlobalAddress);
}
