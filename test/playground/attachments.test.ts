import { describe, expect, it } from "vitest";
import { attach, type PickedFile } from "../../playground/src/chat/attachments.ts";

const file = (name: string, content = "text", size = content.length): PickedFile => ({
  name,
  size,
  text: () => Promise.resolve(content),
});

describe("files that are attached", () => {
  it("are added to those before them", async () => {
    const first = await attach([], [file("a.txt", "one")]);
    const second = await attach(first.attachments, [file("b.md", "two")]);

    expect(second.problems).toEqual([]);
    expect(second.attachments).toEqual([
      { filename: "a.txt", content: "one", size: 3 },
      { filename: "b.md", content: "two", size: 3 },
    ]);
  });

  it.each([
    ["is attached already", [file("a.txt"), file("a.txt")], "a.txt is attached already."],
    ["has more than 100 KB", [file("big.txt", "", 102_401)], "big.txt has more than 100 KB."],
    ["is no text", [file("a.png", "\u{FFFD}PNG")], "a.png is not a text file."],
    ["has a byte that no text has", [file("a.bin", "a\0b")], "a.bin is not a text file."],
    [
      "is one too many",
      ["1", "2", "3", "4", "5", "6"].map((name) => file(name)),
      "6 is left out: a message may have 5 files.",
    ],
    [
      "would make the message too large",
      ["a", "b", "c"].map((name) => file(name, "", 100_000)),
      "c is left out: together, the files would have more than 250 KB.",
    ],
  ])("leave out one that %s, and say so", async (_case, files, sentence) => {
    const { attachments, problems } = await attach([], files);

    expect(problems).toEqual([sentence]);
    expect(attachments).toHaveLength(files.length - 1);
  });

  it("leave out a folder, which cannot be read", async () => {
    const folder = { name: "folder", size: 0, text: () => Promise.reject(new Error("NotReadableError")) };

    expect((await attach([], [folder])).problems).toEqual(["folder is not a text file."]);
  });

  it("are not read if they are too large", async () => {
    let isRead = false;
    const large = {
      name: "large.txt",
      size: 1_000_000,
      text: () => {
        isRead = true;
        return Promise.resolve("");
      },
    };

    await attach([], [large]);

    expect(isRead).toBe(false);
  });
});
