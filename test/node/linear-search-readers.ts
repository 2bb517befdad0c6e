import { filePassageOf, indexedFiles } from "../../src/search/file-passage.ts";
import { passageOf, passageWords, passageScore } from "../../src/search/passage.ts";
import { memoryDate } from "../../src/search/memory-date.ts";
import { anyOf, parseQuery, searchedWords } from "../../src/search/query.ts";
import { asksAboutSpeaker, asksWhen, factorOf, traitsOf } from "../../src/search/factors.ts";
import { fold } from "../../src/search/fold.ts";
import { isEnglishOnly, isGivenName, isStopWord, mayBeName } from "../../src/search/stop-words.ts";
import { endFrom, momentFrom } from "../../src/search/moment-range.ts";
import { groupsOf, groupSize, indexedText, tokensOf } from "../../src/search/tokens.ts";
import { plainLine } from "../../src/search/markdown-line.ts";
import { textFragmentUrl } from "../../src/search/text-fragment.ts";
import { relativeDates } from "../../src/search/relative-dates.ts";

/** The functions of the search that read text from outside. */
export const SEARCH_READERS: Readonly<Record<string, (text: string) => unknown>> = {
  "search/query: parseQuery": parseQuery,
  "search/query: searchedWords": searchedWords,
  "search/query: anyOf": (text) => anyOf(text.split(" ")),
  "search/moment-range: momentFrom": momentFrom,
  "search/moment-range: endFrom": endFrom,
  "search/tokens: tokensOf": tokensOf,
  "search/tokens: indexedText": indexedText,
  "search/tokens: groupsOf": (text) => groupsOf(text, true),
  "search/tokens: groupSize": groupSize,
  "search/fold: fold": fold,
  "search/stop-words: isStopWord": isStopWord,
  "search/stop-words: isEnglishOnly": isEnglishOnly,
  "search/stop-words: mayBeName": mayBeName,
  "search/stop-words: isGivenName": isGivenName,
  "search/factors: traitsOf": traitsOf,
  "search/factors: asksWhen": asksWhen,
  "search/factors: asksAboutSpeaker": asksAboutSpeaker,
  "search/factors: factorOf": (text) => factorOf(traitsOf(text), { label: text, asksWhen: asksWhen(text) }),
  "search/markdown-line: plainLine": plainLine,
  "search/text-fragment: textFragmentUrl": (text) => textFragmentUrl("https://example.com", text, text),
  "search/passage: passageWords": passageWords,
  "search/passage: passageScore": (text) => [
    passageScore(text, passageWords("x")),
    passageScore(text, passageWords(text)),
    passageScore("x", passageWords(text)),
  ],
  "search/passage: passageOf": (text) => [
    passageOf(text, passageWords(text), 200),
    passageOf(text, passageWords(`${text.slice(0, text.length / 2)}b`), 400),
  ],
  "search/file-passage: filePassageOf": (text) => {
    const files = indexedFiles([{ filename: text, text }]);
    return filePassageOf("", files, passageWords(text.slice(0, 1_000)));
  },
  "search/memory-date: memoryDate": (text) => memoryDate(text, text),
  "search/relative-dates: relativeDates": (text) => relativeDates(text, "2023-05-08"),
};
