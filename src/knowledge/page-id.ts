import { sha256 } from "../shared/crypto.ts";
import { type PageId, pageIdOf } from "../shared/id-types.ts";
import { derivedId } from "../shared/ids.ts";
import type { NewPage } from "./page-model.ts";

/** Returns the id of a page in its base. It is derived from the canonical address or file name, so a re-read finds its page. */
export async function pageIdFor({ url, fileName }: Pick<NewPage, "url" | "fileName">): Promise<PageId> {
  const name = url === null ? `file ${fileName ?? ""}` : `url ${url}`;
  return pageIdOf(derivedId(await sha256(name)));
}
