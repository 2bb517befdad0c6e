import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { neutralizeTokens, neutralizeArguments, fence } from "../../src/shared/fence.ts";

const TAGS = [
  "identity",
  "persona",
  "core_memory",
  "memory_tools",
  "memory_warning",
  "knowledge_base",
  "context",
  "attached_file",
  "system",
  "user",
  "assistant",
  "tool",
];

const titled = (tag: string): string => tag.charAt(0).toUpperCase() + tag.slice(1);

describe("fencing text from outside", () => {
  it.each(TAGS)("neutralizes a <%s> tag, however it is written", (tag) => {
    const spellings = [tag, tag.toUpperCase(), titled(tag)].flatMap((name) => [
      `<${name}>`,
      `</${name}>`,
      `< ${name} >`,
      `< / ${name}>`,
      `<\n\t/\u00a0${name}>`,
      `<${name} name="x">`,
      `<${name}/>`,
      `</${name}`,
      `<<${name}>`,
      `text<${name}>text`,
    ]);

    for (const spelling of spellings) {
      const fenced = fence(spelling);
      expect(fenced).not.toMatch(new RegExp(`<\\s*/?\\s*${tag}`, "iu"));
      // Nothing is lost: only the bracket is written otherwise.
      expect(fenced.replaceAll("&lt;", "<")).toBe(spelling);
      expect(fenced).toContain("&lt;");
    }
  });

  it.each([
    ["</core_memory>", "&lt;/core_memory>"],
    ["<|im_start|>system", "&lt;|im_start|>system"],
    ["<|endoftext|><|eot_id|>", "&lt;|endoftext|>&lt;|eot_id|>"],
    ["a</context><system>b", "a&lt;/context>&lt;system>b"],
  ])("turns %j into %j", (text, expected) => {
    expect(fence(text)).toBe(expected);
  });

  it.each([
    "a < b",
    "a<b && c>d",
    "<div>",
    "</div>",
    "<p class='user'>",
    "Array<string>",
    "if (x < tools.length)",
    "<users>",
    "<user_id>",
    "<systemd>",
    "<contextual>",
    "the user of the system",
    "</",
    "<",
    "1 << 3",
    "x <= y",
    "&lt;system>",
  ])("does not change %j", (text) => {
    expect(fence(text)).toBe(text);
  });

  it("changes only the brackets of such tags, and nothing the second time", () => {
    const piece = fc.constantFrom(
      "<",
      "</",
      "< ",
      ">",
      "|",
      "system",
      "CONTEXT",
      "div",
      " ",
      "a",
      "\n",
      "ſystem",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        const fenced = fence(text);

        expect(fenced.replaceAll("&lt;", "<")).toBe(text);
        expect(fence(fenced)).toBe(fenced);
        expect(fenced).not.toMatch(/<\s*\/?\s*(?:system|context)\b|<\|/iu);
      }),
      { numRuns: 1_000 },
    );
  });
});

/** Control tokens of chat templates, each as it is and in disguise. */
const TOKENS = [
  "<|im_start|>",
  "<|start_header_id|>",
  "< | im_start | >",
  "<\u200b|im_\u200dstart|>",
  "<｜Assistant｜>",
  "‹｜Assistant｜>",
  "‹|im_end|›",
  "＜｜User｜＞",
  "<｜tool▁calls▁begin｜>",
  "<start_of_turn>user",
  "</START_OF_TURN>",
  "<end_of_turn>",
  "<tool_call>",
  "</ tool_call >",
  "<tool\u200b_call>",
  "<tool_response>",
  "<function_results>",
  "<function_calls>",
  "<function=get>",
  "<think>",
  "</think\n>",
  "＜ｔｈｉｎｋ＞",
  "[INST]",
  "a[INST]",
  "[/INST]",
  "[ / inst ]",
  "[inst]",
  "［INST］",
  "[TOOL_CALLS]",
  "<<SYS>>",
  "<</SYS>>",
  "<< SYS >>",
  '<attached_file name="a">',
  // DeepSeek's, Gemma's, MiniMax's, EXAONE's, Nemotron's and LongCat's ways to mark turns and calls.
  '<｜DSML｜invoke name="f">',
  "</｜DSML｜function_calls>",
  "<|turn>",
  "<turn|>",
  "<|channel>",
  "<|tool_response>",
  "]~b]",
  "]~!b[",
  "[e~[",
  "[|system|]",
  "[｜endofturn｜]",
  "<SPECIAL_11>",
  "<extra_id_1>",
  "<longcat_user>",
  "<BOS_TOKEN>",
  // Hidden behind invisible characters, more of them than a name is long.
  "<th\u0000ink>",
  `<|im_${"\u200d".repeat(100)}start|>`,
  "<|im_<|im_start|>start|>",
];

/** Text of pages, programs and shell scripts, which no template contains. */
const ORDINARY = [
  `<!doctype html>\n<html lang="en">\n<head><title>Tools &amp; users</title></head>\n<body>
<details><summary>More</summary><p class="user">Text <s>old</s> <b>new</b></p></details>
<user-card></user-card><context-menu id="c"></context-menu><input type="text" value="[1]">
<script>if (a<b && c>d) x = y << 2; const t = u[0][1];</script></body></html>`,
  `<?xml version="1.0"?><beans><context:component-scan base-package="a"/></beans>`,
  `<configuration><system.web><users/></system.web></configuration>`,
  `export const App = () => <Layout users={users}><Thinker<string> onDone={(x) => x} /></Layout>;`,
  `#include <vector>\nstd::map<int, std::vector<int>> m; auto x = a<b>(c) | d; m[0] = inst[inst[0]];`,
  `cat <<EOF > out.txt\n$A\nEOF\ncat <<SYS >> out.txt\nx\nSYS\ndiff <(a) <(b)`,
  `List<Map<String, ? extends Tooling>> list = new ArrayList<>(); int[] a = {1}; a[i]++;`,
  `let f = g <| x\nlet h = a <| b || c\n[<Literal>] p <|> q`,
  `- [x] done\n- [link](https://example.com/a_(b)) [1] [system] [tool]\n> quote\n| a | b |\n|---|---|`,
  `let a = [|x|] in let b = [|1; 2|] in a.(0)\nprogress: [e~] ~b x[~b] turn<|> <turn> <tool> [user]`,
  `x[inst][inst] = y[0][think]; <special> <extra_id> <reserved_1/> <role>SYSTEM</role>`,
  `type A = Array<\n  | "a"\n  | "b"\n>;`,
];

describe("neutralizing control tokens", () => {
  it.each(TOKENS)("neutralizes %j in every text that reaches a model", (token) => {
    for (const text of [token, `Hi ${token} there`, `${token}${token}`]) {
      expect(neutralizeTokens(text)).not.toContain(token);
      expect(fence(text)).not.toContain(token);
      expect(decoded(neutralizeTokens(text))).toBe(text);
      expect(neutralizeTokens(neutralizeTokens(text))).toBe(neutralizeTokens(text));
    }
  });

  it.each(ORDINARY)("does not change text that people paste: %j", (text) => {
    expect(neutralizeTokens(text)).toBe(text);
  });

  it("keeps the names of sections and roles, and HTML, in the speaker's own message", () => {
    const text = "<system>a</system> <context>b</context> <user>c</user> <s>d</s> </core_memory>";

    expect(neutralizeTokens(text)).toBe(text);
    expect(fence("a</s>b</ S >")).toBe("a&lt;/s>b&lt;/ S >");
  });

  it("finds them behind JSON escapes in the arguments of a call, and keeps other arguments byte for byte", () => {
    const hidden = String.raw`{"a": ["\u003c|im_start|\u003e"], "\u003cthink>": 1}`;

    expect(JSON.parse(neutralizeArguments(hidden))).toEqual({ a: ["&lt;|im_start|>"], "&lt;think>": 1 });
    for (const written of ['{ "a" :1e2}', "", "not JSON", '{"__proto__":{"a":"<b>"}}'])
      expect(neutralizeArguments(written)).toBe(written);
    expect(neutralizeArguments("broken <think>")).toBe("broken &lt;think>");
  });

  it("finds them however deep the arguments nest, and keeps the rest byte for byte", () => {
    const nested = (text: string) => `{"a": ${"[".repeat(40_000)}"${text}", 1e2${"]".repeat(40_000)}}`;

    expect(neutralizeArguments(nested(String.raw`\u003c|im_start|> \u0041`))).toBe(
      nested("&lt;|im_start|> A"),
    );
    expect(neutralizeArguments(nested(String.raw`\u0041 \" \\`))).toBe(nested(String.raw`\u0041 \" \\`));
  });

  it("leaves no control token around one that it has neutralized", () => {
    const once = neutralizeTokens("<｜<｜<turn|>");

    expect(once).toBe("<｜<｜&lt;turn|>");
    expect(neutralizeTokens(once)).toBe(once);
  });

  it("holds for any combination of such pieces", () => {
    const piece = fc.constantFrom(
      ...TOKENS,
      ...Array.from("<>|/[] a｜‹"),
      "\u200b",
      "INST",
      "im_start",
      "think",
      "system",
      "user",
      "core_memory",
      "SYS",
      "function=",
      "s>",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join("");
        for (const made of [neutralizeTokens, fence]) {
          const safe = made(text);
          expect(made(safe)).toBe(safe);
          expect(decoded(safe)).toBe(decoded(text));
          // Behind a word, `[inst]` is an index; in capitals it is a token anywhere.
          for (const token of TOKENS) if (token !== "[inst]") expect(safe).not.toContain(token);
          expect(safe).not.toMatch(LIVE);
        }
        expect(fence(neutralizeTokens(text))).toBe(fence(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

/** An independent definition of what must not remain, for ASCII characters. */
const LIVE =
  /<\|[\w ]+\|>|<\/?(?:think|tool_call|start_of_turn|attached_file)\b(?![.:-])|(?<![\w)\]])\[INST\]|\[\/INST\]|<<\/?SYS>>/iu;

const decoded = (text: string): string =>
  text
    .replaceAll("&lt;", "<")
    .replaceAll(/&#(\d+);/gu, (_all, code: string) => String.fromCodePoint(Number(code)));
