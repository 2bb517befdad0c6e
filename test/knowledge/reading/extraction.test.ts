import { describe, expect, it } from "vitest";
import { readHtml } from "../../../src/knowledge/reading/html/read-html.ts";
import { ARTICLES } from "./pages/articles.ts";
import { DOCUMENTATION } from "./pages/documentation.ts";
import { goldOf, overlapOf, type PageFixture } from "./pages/fixture.ts";
import { OTHERS } from "./pages/others.ts";

const overlapOn = (page: PageFixture) =>
  overlapOf(readHtml(page.html, "https://site.example/section/page").markdown, goldOf(page));

const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

describe.each([
  { layout: "documentation", pages: DOCUMENTATION, least: 0.97 },
  { layout: "articles", pages: ARTICLES, least: 0.97 },
  { layout: "other pages", pages: OTHERS, least: 0.95 },
])("on $layout", ({ pages, least }) => {
  it.each(pages)("finds at least 94 % of the content of $name, and at most 35 % else", (page) => {
    const { precision, recall } = overlapOn(page);

    expect(recall).toBeGreaterThanOrEqual(0.94);
    expect(precision).toBeGreaterThanOrEqual(0.65);
  });

  it(`agrees with the content by a token F1 of ${least}`, () => {
    expect(mean(pages.map((page) => overlapOn(page).f1))).toBeGreaterThanOrEqual(least);
  });
});
