import { describe, expect, it } from "vitest";
import { passageOf, passageWords } from "../../src/search/passage.ts";

const filler = (n: number): string => "Nothing else was said about it on that day. ".repeat(n);

describe("shows the part of a text that matches", () => {
  it.each([
    ["a word", "She works in Lisbon.", "Lisbon"],
    ["a plural", "Bob runs every morning.", "run"],
    ["a singular", "They visited one harbour there.", "harbours"],
    ["another ending", "All cities were full.", "city"],
    ["an accent in the text", "Frau Müller called.", "Muller"],
    ["an accent in the query", "Frau Muller called.", "Müller"],
    ["another case", "The WIFI password is blue.", "wifi"],
    ["Chinese", "他的电话号码是四七一一。", "电话号码"],
    ["Japanese", "鍵は机の引き出しにあります。", "引き出し"],
    ["Thai", "รหัสประตูคือสี่เจ็ด", "รหัสประตู"],
    ["Korean", "비밀번호는 사칠일일이다.", "비밀번호는"],
    ["Cyrillic", "Код двери 4711.", "двери"],
  ])("with %s", (_case, sentence, query) => {
    const text = `${filler(20)}${sentence} ${filler(20)}`;

    const passage = passageOf(text, passageWords(query), 200);

    expect(passage).toContain(sentence);
    expect(passage.length).toBeLessThan(230);
    expect(passage).toMatch(/^\.\.\..*\.\.\.$/su);
  });
});

it("shows where most words of the query are close together", () => {
  const text = `The code. ${filler(20)}The code of the door is 4711. ${filler(20)}A door.`;

  expect(passageOf(text, passageWords("code of the door"), 200)).toContain("The code of the door is 4711.");
});

it("shows two passages if the words of the query are far apart", () => {
  const text = `${filler(20)}The giraffe is tall. ${filler(20)}The penguin swims. ${filler(20)}`;

  const passage = passageOf(text, passageWords("giraffe penguin"), 400);

  expect(passage).toContain("The giraffe is tall.");
  expect(passage).toContain("The penguin swims.");
  expect(passage.length).toBeLessThan(450);
});

it("shows the beginning of a text that does not match, and a short text whole", () => {
  expect(passageOf(filler(20), passageWords("giraffe"), 100)).toMatch(/^Nothing else was said .*\.\.\.$/u);
  expect(passageOf("Short", passageWords("giraffe"), 100)).toBe("Short");
});

it.each([13, 44, 200, 401])("cuts no emoji in half in a passage of %i characters", (max) => {
  for (const text of ["😀".repeat(1_000), `x${"😀".repeat(1_000)}`, "𠮷野".repeat(500)])
    for (const query of ["nothing", "野", "𠮷野"])
      expect(passageOf(text, passageWords(query), max).isWellFormed()).toBe(true);
});
