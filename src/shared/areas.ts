/** The regions of AWS by the area of Cloudflare that is nearest: Durable Objects talk to the table all the time. */
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

/** The area for Durable Objects that talk to a table in this region. */
export const nearestArea = (region: string): DurableObjectLocationHint | undefined =>
  AREAS.find(([prefix]) => region.startsWith(prefix))?.[1];
