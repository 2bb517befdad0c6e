import { readHtml } from "../src/knowledge/reading/html/read-html.ts";
import { passagesOf } from "../src/knowledge/passages.ts";
import { pageIdOf } from "../src/shared/id-types.ts";
import { ARTICLES } from "../test/knowledge/reading/pages/articles.ts";
import { DOCUMENTATION } from "../test/knowledge/reading/pages/documentation.ts";
import { goldOf, overlapOf, type PageFixture } from "../test/knowledge/reading/pages/fixture.ts";
import { HOSTILE_SIZES } from "../test/knowledge/reading/pages/hostile.ts";
import { OTHERS } from "../test/knowledge/reading/pages/others.ts";

const URL_OF_PAGE = "https://site.example/section/page";
const PAGE = pageIdOf("page");
/** The first readings compile the code. */
const ROUNDS = 20;

const LAYOUTS: Readonly<Record<string, readonly PageFixture[]>> = {
  documentation: DOCUMENTATION,
  articles: ARTICLES,
  "other pages": OTHERS,
};

/** Returns the CPU time that this thread takes for some work, in milliseconds. */
function cpuMs(work: () => void): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}

const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
const read = (html: string): string => readHtml(html, URL_OF_PAGE).markdown;

console.log("| pages | number | KB | precision | recall | F1 | CPU per page | pages per second |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const [layout, pages] of Object.entries(LAYOUTS)) {
  const overlaps = pages.map((page) => overlapOf(read(page.html), goldOf(page)));
  const times = Array.from({ length: ROUNDS }, () =>
    cpuMs(() => pages.forEach(({ html }) => void read(html))),
  );
  const ms = Math.min(...times) / pages.length;
  const shares = (["precision", "recall", "f1"] as const).map((name) =>
    mean(overlaps.map((each) => each[name])).toFixed(3),
  );
  const kilobytes = mean(pages.map(({ html }) => html.length / 1_000)).toFixed(1);
  console.log(
    `| ${layout} | ${pages.length} | ${kilobytes} | ${shares.join(" | ")} | ${ms.toFixed(2)} ms | ${Math.round(1_000 / ms)} |`,
  );
}

console.log("\n| hostile page | KB | reading | passages |\n| --- | ---: | ---: | ---: |");
for (const [name, page] of Object.entries(HOSTILE_SIZES)) {
  const html = page();
  let markdown = "";
  const reading = cpuMs(() => (markdown = read(html)));
  const passages = cpuMs(() => void passagesOf(markdown, PAGE));
  console.log(
    `| ${name} | ${Math.round(html.length / 1_000)} | ${reading.toFixed(0)} ms | ${passages.toFixed(0)} ms |`,
  );
}
