import { describe, expect, it } from "vitest";
import { textFragmentUrl } from "../../src/search/text-fragment.ts";

const URL = "https://example.com/guide";

/** Returns the parts of a text fragment, decoded. */
function partsOf(passage: string, before = ""): readonly string[] {
  const [, fragment = ""] = textFragmentUrl(URL, passage, before).split("#:~:text=");
  return fragment === "" ? [] : fragment.split(",").map(decodeURIComponent);
}

describe("textFragmentUrl", () => {
  it("names the first and the last words of a passage", () => {
    expect(textFragmentUrl(URL, "The harbour of Oslo is open all year round.", "")).toBe(
      `${URL}#:~:text=The%20harbour%20of%20Oslo%20is,open%20all%20year%20round.`,
    );
  });

  it("names a short passage as a whole", () => {
    expect(partsOf("Open all year")).toEqual(["Open all year"]);
  });

  it("encodes what separates the parts of a fragment", () => {
    expect(textFragmentUrl(URL, "Well-known, salt & pepper", "")).toBe(
      `${URL}#:~:text=Well%2Dknown%2C%20salt%20%26%20pepper`,
    );
  });

  it("names the text as the page shows it, without the marks of Markdown", () => {
    expect(
      partsOf("1. **Prices** for [all tickets](https://example.com/t) and `code`\n\n> The last item"),
    ).toEqual(["Prices for all tickets and", "The last item"]);
    expect(partsOf("## _Two_ [tickets](https://example.com/a_(b)) \\* ![A cat](c.png)")).toEqual([
      "Two tickets *",
    ]);
  });

  it("takes single cells of a table, because a fragment can't reach across cells", () => {
    expect(partsOf("| Name | Price |\n| --- | ---: |\n| Adult | 5 euros |")).toEqual(["Name", "5 euros"]);
  });

  it("names more words if the first ones also begin an earlier passage", () => {
    const before = "To change your address, open the settings page.";

    expect(
      partsOf(
        "To change your address, open the billing page and sign in there with your key now.",
        before,
      )[0],
    ).toBe("To change your address, open the billing page and sign in there");
  });

  it("names what comes before a passage whose text is on the page twice", () => {
    const before = "Step one\n\nPress the green button.\n\nStep two";

    expect(textFragmentUrl(URL, "Press the green button.", before)).toBe(
      `${URL}#:~:text=Step%20two-,Press%20the%20green%20button.`,
    );
  });

  it("cuts scripts without spaces between words", () => {
    const passage = "東京都の港区にある美術館は、".repeat(20);
    const [start = ""] = partsOf(passage);

    expect(start.length).toBeGreaterThan(20);
    expect(start.length).toBeLessThanOrEqual(60);
    expect(passage.startsWith(start)).toBe(true);
  });

  it("is the address alone for a passage without words", () => {
    expect(textFragmentUrl(URL, "---\n\n***", "")).toBe(URL);
  });
});
