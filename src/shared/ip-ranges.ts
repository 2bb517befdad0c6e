/** Ranges of IPv4 that are not on the public Internet (IANA's special-purpose registry), as address and prefix length. */
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
 * The same for IPv6, within the only range that is global at all (2000::/3). Those that carry an IPv4 address are
 * refused whole: what stands behind such an address can't be told.
 */
const GLOBAL_V6 = ["2000::", 3] as const;
const NOT_GLOBAL_V6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
] as const;

/** Whether an address, as a resolver writes it, is one of the public Internet. What can't be read is not. */
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

const isIn = (bits: string, range: string | undefined, length: number): boolean =>
  range !== undefined && bits.slice(0, length) === range.slice(0, length);

function v4Bits(address: string): string | undefined {
  const parts = address.split(".");
  const isPlain = parts.length === 4 && parts.every((part) => /^\d{1,3}$/u.test(part) && Number(part) < 256);
  return isPlain ? parts.map((part) => Number(part).toString(2).padStart(8, "0")).join("") : undefined;
}

function v6Bits(address: string): string | undefined {
  // The URL parser knows every way to write one, and writes it in groups of hexadecimal digits.
  const url = address.includes(":") ? URL.parse(`http://[${address}]/`) : null;
  if (!url) return undefined;

  const [head = "", tail] = url.hostname.slice(1, -1).split("::");
  const before = head.split(":").filter(Boolean);
  const after = (tail ?? "").split(":").filter(Boolean);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return [...before, ...zeros, ...after]
    .map((group) => Number.parseInt(group, 16).toString(2).padStart(16, "0"))
    .join("");
}
