import { passagesOf } from "../../src/knowledge/passages.ts";
import { readHtml } from "../../src/knowledge/reading/html/read-html.ts";
import { pageIdOf } from "../../src/shared/id-types.ts";
import { HOSTILE_PAGES } from "../knowledge/reading/pages/hostile.ts";

// Reads the hostile page of 2 MB that the argument names, in a process of its own, whose heap the caller limits.
const page = HOSTILE_PAGES[process.argv[2] ?? ""];
if (!page) throw new Error("There is no such page.");
const { markdown } = readHtml(page(2_000_000), "https://site.example/page");
console.log(passagesOf(markdown, pageIdOf("page")).length);
