/** IPv4 ranges that are not on the public Internet (IANA's special-purpose registry), as address and prefix length. */
const NOT_GLOBAL_V4 = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
] as const;

/**
 * IPv6 ranges that are not on the public Internet, within the only global one (2000::/3). Ranges that embed IPv4 addresses are
 * refused entirely, because the embedded address may be private.
 */
const GLOBAL_V6 = ["2000::", 3] as const;
const NOT_GLOBAL_V6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
] as const;

/** Returns whether an IP address, as a resolver writes it, is on the public Internet. Malformed text is not. */
export function isGlobalAddress(address: string): boolean {
  const v4 = v4Bits(address);
  if (v4) return !NOT_GLOBAL_V4.some(([range, length]) => isIn(v4, v4Bits(range), length));

  const v6 = v6Bits(address);
  if (!v6) return false;
  return (
    isIn(v6, v6Bits(GLOBAL_V6[0]), GLOBAL_V6[1]) &&
    !NOT_GLOBAL_V6.some(([range, length]) => isIn(v6, v6Bits(range), length))
  );
}

/** The first bits of an IPv4-mapped IPv6 address, ::ffff:0:0/96 (RFC 4291, section 2.5.5.2). */
const MAPPED_V4 = `${"0".repeat(80)}${"1".repeat(16)}`;

/**
 * Returns the network that a client's address is counted under: an IPv4 address itself, or the /64 network of an IPv6 address,
 * because a single customer has at least that much (RFC 6177). All spellings of an address have the same result. An IPv4-mapped
 * IPv6 address counts as its IPv4 address. Text that is not an address is returned unchanged.
 */
export function networkOf(address: string): string {
  const v6 = v6Bits(address);
  const v4 = v6?.startsWith(MAPPED_V4) ? v6.slice(MAPPED_V4.length) : v4Bits(address);
  if (v4) return groupsOf(v4, 8).join(".");
  return v6
    ? `${groupsOf(v6.slice(0, 64), 16)
        .map((group) => group.toString(16))
        .join(":")}::/64`
    : address;
}

/** Splits bits into numbers of `size` bits each. */
const groupsOf = (bits: string, size: number): readonly number[] =>
  Array.from({ length: bits.length / size }, (_, at) =>
    Number.parseInt(bits.slice(at * size, (at + 1) * size), 2),
  );

const isIn = (bits: string, range: string | undefined, length: number): boolean =>
  range !== undefined && bits.slice(0, length) === range.slice(0, length);

function v4Bits(address: string): string | undefined {
  const parts = address.split(".");
  const isPlain = parts.length === 4 && parts.every((part) => /^\d{1,3}$/u.test(part) && Number(part) < 256);
  return isPlain ? parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("") : undefined;
}

function v6Bits(address: string): string | undefined {
  // The URL parser accepts every spelling and returns groups of hexadecimal digits.
  const url = /^[\da-f.]*:[\da-f:.]*$/iu.test(address) ? URL.parse(`http://[${address}]/`) : null;
  if (!url) return undefined;

  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}
