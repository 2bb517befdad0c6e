import { describe, expect, it } from "vitest";
import { readCsv } from "../../../src/knowledge/reading/csv.ts";

describe("a CSV file", () => {
  it.each([",", ";", "\t", "|"])("with the delimiter %j has a paragraph per row", (delimiter) => {
    const text = [
      ["Name", "City"],
      ["Anna", "Bonn"],
      ["Ben", "Rome"],
    ]
      .map((row) => row.join(delimiter))
      .join("\n");
    expect(readCsv(text).markdown).toBe("Name: Anna\nCity: Bonn\n\nName: Ben\nCity: Rome");
  });

  it("may quote delimiters, quotes and line breaks, and begin with a byte order mark", () => {
    expect(readCsv('\ufeffName,Note\r\n"Doe, Jo","said ""hi""\r\n\r\nand left"\r\n').markdown).toBe(
      'Name: Doe, Jo\nNote: said "hi"\nand left',
    );
  });

  it("leaves out empty values and empty rows", () => {
    expect(readCsv("a,b\n1,\n,,\n\n,2\n").markdown).toBe("a: 1\n\nb: 2");
  });

  it("without a header names its columns by number", () => {
    expect(readCsv("1,2\n3,4").markdown).toBe("Column 1: 1\nColumn 2: 2\n\nColumn 1: 3\nColumn 2: 4");
  });

  it("prefers the delimiter by which all rows have the same length", () => {
    expect(readCsv("Name;Note\nAnna;one, two, three\nBen;four").markdown).toBe(
      "Name: Anna\nNote: one, two, three\n\nName: Ben\nNote: four",
    );
  });

  it("with a quote that nothing closes is read to its end", () => {
    expect(readCsv('a,b\n1,"2\n3,4').markdown).toBe("a: 1\nb: 2\n3,4");
  });

  it("that is empty has a warning", () => {
    expect(readCsv("")).toMatchObject({ markdown: "", warning: "no readable text: the file is empty" });
  });
});
