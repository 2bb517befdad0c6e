import { expect, it } from "vitest";
import { relativeDates } from "../../src/search/relative-dates.ts";

/** A Monday. */
const DAY = "2023-05-08";

it.each([
  ["I ran a race yesterday", ["yesterday = 2023-05-07"]],
  ["Last night we met, and tomorrow we leave", ["last night = 2023-05-07", "tomorrow = 2023-05-09"]],
  ["the day before yesterday", ["the day before yesterday = 2023-05-06"]],
  ["I was ill last week", ["last week = 2023-05-01 to 2023-05-07"]],
  ["We camp next weekend", ["next weekend = 2023-05-20 to 2023-05-21"]],
  ["this weekend", ["this weekend = 2023-05-13 to 2023-05-14"]],
  ["She moves next month", ["next month = 2023-06"]],
  ["last year", ["last year = 2022"]],
  ["two days ago", ["two days ago = 2023-05-06"]],
  ["a week ago", ["a week ago = 2023-05-01"]],
  ["4 months ago", ["4 months ago = 2023-01"]],
  ["6 months ago", ["6 months ago = 2022-11"]],
  ["in 3 years", ["in 3 years = 2026"]],
  ["last Friday", ["last friday = 2023-05-05"]],
  ["last Monday", ["last monday = 2023-05-01"]],
  ["next Monday", ["next monday = 2023-05-15"]],
  ["next Sunday", ["next sunday = 2023-05-14"]],
  ["this Wednesday", ["this wednesday = 2023-05-10"]],
  ["Ich war gestern krank, vorgestern nicht", ["gestern = 2023-05-07", "vorgestern = 2023-05-06"]],
  ["Il est parti hier", ["hier = 2023-05-07"]],
  ["Ayer llovió", ["ayer = 2023-05-07"]],
  ["Вчера был дождь", ["вчера = 2023-05-07"]],
  ["昨日は雨だった", ["昨日 = 2023-05-07"]],
  ["我昨天去了", ["昨天 = 2023-05-07"]],
  ["letzte Woche", ["letzte woche = 2023-05-01 to 2023-05-07"]],
  ["hierarchy of yesterdays", []],
  ["on 8 May", []],
  ["yesterday, and yesterday again", ["yesterday = 2023-05-07"]],
])("resolves the dates of %j", (text, expected) => {
  expect(relativeDates(text, DAY)).toEqual(expected);
});

it("resolves nothing without a date", () => {
  expect(relativeDates("yesterday", "time unknown")).toEqual([]);
});
