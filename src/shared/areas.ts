/** AWS regions by prefix, with the nearest location hint of Cloudflare. Durable Objects call the table constantly, so they should be near it. */
const AREAS: readonly (readonly [prefix: string, area: DurableObjectLocationHint])[] = [
  ["us-west", "wnam"],
  ["us-", "enam"],
  ["ca-", "enam"],
  ["sa-", "sam"],
  ["eu-", "weur"],
  ["me-", "me"],
  ["af-", "afr"],
  ["ap-southeast-2", "oc"],
  ["ap-", "apac"],
];

/** Returns the location hint nearest to an AWS region, or `undefined` if the region is unknown. */
export const nearestArea = (region: string): DurableObjectLocationHint | undefined =>
  AREAS.find(([prefix]) => region.startsWith(prefix))?.[1];
