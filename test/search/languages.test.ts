import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Planted, testMemory } from "./memories.ts";
import { testTalks } from "./talks.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Memories of different days, so that none helps another. */
async function memoryOf(...contents: readonly string[]) {
  const memory = testMemory();
  const start = Date.UTC(2026, 0, 5);
  await memory.plant(...contents.map((content, index): Planted => ({ content, at: start + index * DAY_MS })));
  return memory;
}

/** The one memory that each query of this file must not find. */
const OTHER = "完全に zzz อื่น";

describe("a query finds a memory in", () => {
  it.each([
    ["Korean, with particles on the word", "서울에서", "어제 서울을 떠났다"],
    ["Korean, by one syllable", "집", "우리 집은 크다"],
    ["Thai, by a word inside a sentence", "แมว", "เมื่อวานแมวของฉันหายไป"],
    ["Thai, by a word of two letters", "ชา", "ฉันดื่มชาทุกวัน"],
    ["Thai, by the last letters", "กา", "ฉันเห็นนกกา"],
    ["Lao", "ແມວ", "ຂ້ອຍມີແມວສອງໂຕ"],
    ["Khmer", "ឆ្មា", "ខ្ញុំមានឆ្មាពីរ"],
    ["Burmese", "ကြောင်", "ကျွန်တော့်မှာကြောင်ရှိတယ်"],
    ["Japanese, with a long vowel", "コーヒー", "毎朝コーヒーを飲む"],
    ["Japanese, in half-width letters", "ｺｰﾋｰ", "毎朝コーヒーを飲む"],
    ["Chinese, by two characters", "喝茶", "我喜欢喝茶"],
    ["Arabic, without the article", "مدينة", "زرت المدينة أمس"],
    ["Arabic, with a preposition before the article", "بالمدينة", "زرت المدينة أمس"],
    ["Arabic, without vowel signs", "محمد", "قابلت مُحَمَّدًا و مُحَمَّد"],
    ["Arabic, with other forms of alef", "احمد", "أحمد صديقي"],
    ["Persian, with Arabic letters", "كتابي", "کتابی خوب"],
    ["Hebrew, without points", "שלום", "שָׁלוֹם לכולם"],
    ["Hindi", "दिन", "आज का दिन अच्छा है"],
    ["Russian, in another case", "библиотека", "Я был в библиотеке"],
    ["Russian, with е for ё", "ежик", "В саду живёт ёжик"],
    ["German, in another form", "Versicherungen", "Die Versicherung läuft bis Mai"],
    ["German, with ss for ß", "Strasse", "Die Straße ist gesperrt"],
    ["Turkish, without a dot or with one", "ISPARTA", "Isparta'da güller açtı"],
    ["Turkish, with a suffix", "kitaplarım", "Yeni kitaplar aldım"],
    ["Greek, without accents", "οδυσσευς", "Ο Ὀδυσσεὺς γύρισε"],
    ["Vietnamese, without accents", "duong pho", "Đường phố đông người"],
    ["Polish", "Lodz", "Mieszkam w Łodzi, Łódź jest ładna"],
    ["Danish", "Kobenhavn", "Vi bor i København"],
    ["French", "oeuvre", "Une œuvre célèbre"],
    ["Icelandic", "Thor", "Þór er sterkur"],
  ])("%s", async (_case, query, expected) => {
    const memory = await memoryOf(OTHER, expected);

    expect(await memory.find(query)).toEqual([expected]);
  });

  it("Hindi by its vowel signs", async () => {
    const memory = await memoryOf("दान", "दीन", "दिन");

    expect(await memory.find("दिन")).toEqual(["दिन"]);
  });

  it("Vietnamese by words of two syllables before the same syllables apart", async () => {
    const memory = await memoryOf("sinh viên đang học", "học đang viên sinh", "viên sinh đang học");

    expect((await memory.find("sinh viên ở đâu"))[0]).toBe("sinh viên đang học");
  });
});

describe("joined and separate forms find each other", () => {
  it.each([
    ["getUserName", "user name"],
    ["Wi-Fi", "wifi"],
    ["e-mail", "email"],
    ["iPhone15", "iphone 15"],
    ["42nd", "42"],
    ["O'Brien", "obrien"],
    ["O’Brien", "O'Brien"],
    ["1,500,000", "1500000"],
    ["snake_case", "snakecase"],
    ["U.S.A.", "usa"],
    ["ﬁle", "file"],
    ["co\u00adoperate", "cooperate"],
    ["non\u2011stop", "nonstop"],
    ["❤️", "❤"],
    ["１２３", "123"],
    ["١٢٣", "123"],
  ])("%s and %s", async (one, other) => {
    expect(await (await memoryOf(OTHER, one)).find(other)).toEqual([one]);
    expect(await (await memoryOf(OTHER, other)).find(one)).toEqual([other]);
  });
});

describe("signs and capitals", () => {
  it.each([
    ["C++", "I write C++ at work", ["I write C# at work", "Vitamin C is healthy"]],
    ["C#", "I write C# at work", ["I write C++ at work", "Vitamin C is healthy"]],
    ["F#", "I like F#", ["I like F", "I like C#"]],
    [".NET", "We use .NET", ["We use the net to fish"]],
    ["vitamin D", "She takes vitamin D", ["She takes vitamin C", "He'd like a vitamin"]],
    ["vitamin A", "She takes vitamin A", ["She takes a vitamin", "This is a vitamin"]],
    ["What did Will say?", "Will wants to move", ["She will leave", "He will move"]],
    ["What does the IT department need?", "The IT department moved", ["The department moved it"]],
    ["flights from Rome", "I booked flights from Rome", ["I booked flights to Rome"]],
  ])("%s is found first in %s", async (query, expected, others) => {
    const memory = await memoryOf(expected, ...others);

    expect((await memory.find(query))[0]).toBe(expected);
  });
});

describe("an index with another version of the tokens", () => {
  it("is built again, and says so once", async () => {
    const memory = await memoryOf("wifi");
    await memory.find("wifi");
    await runInDurableObject(memory.index(), (_, { storage }) => {
      for (const table of ["memories", "words"]) storage.sql.exec(`DROP TABLE ${table}`);
      // The tables of an earlier version.
      storage.sql.exec("CREATE TABLE memories (place INTEGER PRIMARY KEY, memory_id TEXT)");
      storage.sql.exec("CREATE VIRTUAL TABLE words USING fts5(content)");
      storage.sql.exec("UPDATE state SET value = '1' WHERE name = 'version'");
    });
    await evictDurableObject(memory.index());

    expect(await memory.search("Wi-Fi")).toMatchObject({ total: 1, notes: ["index-rebuilt"] });
    expect(await memory.search("Wi-Fi")).toMatchObject({ total: 1, notes: [] });
  });

  it("loses nothing while memories are searched, stored and removed at the same time", async () => {
    const memory = await memoryOf(...Array.from({ length: 40 }, (_, n) => `wifi ${n}`));
    const [removed] = await memory.plant("wifi to remove");
    await memory.find("wifi");
    await runInDurableObject(memory.index(), (_, { storage }) => {
      storage.sql.exec("UPDATE state SET value = '1' WHERE name = 'version'");
    });
    await evictDurableObject(memory.index());

    const searches = Array.from({ length: 6 }, () => memory.search("wifi"));
    await Promise.all([memory.plant("wifi stored meanwhile"), ...(removed ? [memory.remove(removed)] : [])]);
    const during = await Promise.all(searches);

    expect(during.filter(({ notes }) => notes.includes("index-rebuilt"))).not.toEqual([]);
    for (const { total } of during) expect(total).toBeGreaterThanOrEqual(40);
    const after = await memory.search("wifi", 50);
    expect([after.total, after.notes]).toEqual([41, []]);
    const contents = after.hits.map(({ content }) => content);
    expect(contents).toContain("wifi stored meanwhile");
    expect(contents).not.toContain("wifi to remove");
  });

  it("is built again for conversations", async () => {
    const talks = testTalks();
    await talks.begin("Home", "The wifi is down");
    await talks.search("wifi");
    await runInDurableObject(talks.index(), (_, { storage }) => {
      storage.sql.exec("UPDATE message_state SET value = '1' WHERE name = 'version'");
    });
    await evictDurableObject(talks.index());

    expect(await talks.search("Wi-Fi")).toMatchObject({ total: 1, notes: ["index-rebuilt"] });
    expect(await talks.search("Wi-Fi")).toMatchObject({ total: 1, notes: [] });
  });
});
