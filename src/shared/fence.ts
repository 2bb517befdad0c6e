/** Opening angle brackets and their look-alikes. */
const OPEN = "[<‹〈⟨＜﹤❮]";
/** Closing angle brackets and their look-alikes. */
const CLOSE = "[>›〉⟩＞﹥❯]";
const SLASH = "[/∕⁄／⧸]";
const BAR = "[|｜∣❘ǀ￨│⏐]";
const BRACKET = "[\\[［【]";
const CLOSING_BRACKET = "[\\]］】]";
/** Invisible characters, such as zero-width joiners and control characters other than white space. */
const NOTHING = "\\p{DI}\\p{Cf}\\u0000-\\u0008\\u000e-\\u001f\\u007f-\\u009f";
const UNSEEN = `[${NOTHING}]`;
/** Characters that may separate the parts of a token while a model still recognizes it. */
const GAP = "[\\s\\p{Cc}\\p{DI}\\p{Cf}]";

/**
 * Tags with which chat templates mark turns, tool calls and thoughts. `attached_file` is this service's own tag, which
 * separates a file from the message that it came with.
 */
const TEMPLATE_TAGS = [
  "start_of_turn",
  "end_of_turn",
  "tool_call",
  "tool_calls",
  "tool_response",
  "tool_responses",
  "tool_result",
  "tool_results",
  "tool_use",
  "function_call",
  "function_calls",
  "function_response",
  "function_responses",
  "function_result",
  "function_results",
  "start_function_call",
  "end_function_call",
  "start_function_response",
  "end_function_response",
  "arg_key",
  "arg_value",
  "think",
  "thinking",
  "bos",
  "eos",
  "bos_token",
  "eos_token",
  "sop",
  "start_of_image",
  "end_of_image",
  "longcat_system",
  "longcat_user",
  "longcat_assistant",
  "longcat_tool_call",
  "attached_file",
] as const;

/** Tags whose name ends in a number: `<SPECIAL_11>` and `<extra_id_1>` mark turns in Nemotron's templates. */
const NUMBERED_TAGS = ["special", "extra_id"] as const;

/** Names with a bar on one side only, as in `<|turn>` and `<turn|>` of Gemma's templates. */
const ONE_BAR_NAMES = [
  "turn",
  "channel",
  "tool",
  "tool_call",
  "tool_response",
  "think",
  "image",
  "audio",
  "video",
] as const;

/** Names between brackets and bars, as in `[|system|]` of EXAONE's templates. `[|x|]` is an array in other languages. */
const BARRED_NAMES = ["system", "user", "assistant", "tool", "endofturn"] as const;

/** Names in square brackets, as in Mistral's and Llama's templates. */
const TEMPLATE_BRACKETS = [
  "INST",
  "SYSTEM_PROMPT",
  "AVAILABLE_TOOLS",
  "TOOL_CALLS",
  "TOOL_CONTENT",
  "TOOL_RESULTS",
  "THINK",
  "gMASK",
] as const;

/** Prompt sections whose names no other markup uses. */
const OWN_SECTIONS = [
  "core_memory",
  "memory_tools",
  "memory_warning",
  "conversation_summary",
  "knowledge_base",
  "http_tools",
] as const;

/** Prompt sections and roles whose names other markup also uses: `<user-card>` and `<system.web>` must stay unchanged. */
const COMMON_NAMES = [
  "identity",
  "persona",
  "context",
  "system",
  "developer",
  "user",
  "human",
  "assistant",
  "tool",
] as const;

/** The longest name within `<|…|>` that is detected, in characters. Known templates use at most 30. */
const MAX_TOKEN_CHARS = 64;

/** Matches a name in any spelling: with full-width letters, or with invisible characters between the letters. */
const spelled = (name: string): string => Array.from(name, eitherWidth).join(`${UNSEEN}*`);

const eitherWidth = (character: string): string =>
  character === "_" ? "[_▁＿]" : `[${character}${String.fromCharCode(character.charCodeAt(0) + 0xfee0)}]`;

const anyOf = (names: readonly string[]): string => `(?:${names.map(spelled).join("|")})`;

/** Matches what follows an opening bracket in one of these tags. */
const tag = (names: string, end: string): string => `${GAP}*(?:${SLASH}${GAP}*)?${names}${end}`;

// Anti-DoS: every pattern starts at an opening character and never extends past the next one, so matching takes linear time
// for any text.
const TEMPLATE_TAG = new RegExp(
  `${OPEN}(?=${tag(`(?:\\w{1,16}:)?${anyOf(TEMPLATE_TAGS)}`, "(?!\\w|[.:-]\\w)")}` +
    `|${tag(`${anyOf(NUMBERED_TAGS)}_\\d{1,4}`, "(?!\\w)")}` +
    `|${tag(anyOf(["function", "parameter"]), "=")})`,
  "giu",
);
/**
 * What may be between two bars: up to 64 visible characters, and any number of invisible ones. No template has a token with `&`,
 * with which the reference of a token inside begins.
 */
const BARRED = `(?:${UNSEEN}*[^&<>‹›〈〉⟨⟩＜＞﹤﹥❮❯|｜∣❘ǀ￨│⏐\\r\\n${NOTHING}]){1,${MAX_TOKEN_CHARS}}${UNSEEN}*`;
/** DeepSeek's markup of tool calls, `<｜DSML｜invoke name="f">`, continues after its second bar. */
const TEMPLATE_TOKEN = new RegExp(
  `${OPEN}(?=${GAP}*(?:${BAR}${BARRED}${BAR}${GAP}*${CLOSE}` +
    `|(?:${SLASH}${GAP}*)?${BAR}${GAP}*${spelled("DSML")}${GAP}*${BAR}` +
    `|${BAR}${GAP}*${anyOf(ONE_BAR_NAMES)}${GAP}*${CLOSE}` +
    `|${anyOf(ONE_BAR_NAMES)}${GAP}*${BAR}${GAP}*${CLOSE}))`,
  "giu",
);
/** `]~!b[`, `]~b]` and `[e~[`, which begin and end turns in MiniMax's templates. */
const TILDE_TOKEN = /\](?=~!?b[[\]])|\[(?=e~\[)/gu;
/** A token has spaces on both sides of the name or on neither: `cat <<SYS >> file` is a shell script. */
const SYSTEM_TOKEN = new RegExp(
  `${OPEN}${GAP}*${OPEN}(?=(?:${UNSEEN}*(?:${SLASH}${UNSEEN}*)?${spelled("SYS")}${UNSEEN}*` +
    `|${GAP}+(?:${SLASH}${GAP}*)?${spelled("SYS")}${GAP}+)${CLOSE}${GAP}*${CLOSE})`,
  "giu",
);
const BARRED_BRACKET = new RegExp(
  `${BRACKET}(?=${GAP}*${BAR}${GAP}*${anyOf(BARRED_NAMES)}${GAP}*${BAR}${GAP}*${CLOSING_BRACKET})`,
  "giu",
);
const BRACKET_TOKEN = `${BRACKET}${GAP}*(?:${SLASH}${GAP}*)?${anyOf(TEMPLATE_BRACKETS)}${GAP}*${CLOSING_BRACKET}`;
const ONE_BRACKET_TOKEN = new RegExp(BRACKET_TOKEN, "giu");
const BRACKET_TOKENS = new RegExp(`(?:${BRACKET_TOKEN})+`, "giu");
/** Bracket tokens that can't be program code: in the spelling of the templates, with unusual brackets, or with a slash. */
const SURE_BRACKET_TOKEN = new RegExp(
  `^(?:\\[(?:${TEMPLATE_BRACKETS.join("|")})\\]|[［【]|${BRACKET}${GAP}*${SLASH})`,
  "u",
);
const SECTION_TAG = new RegExp(
  `${OPEN}(?=${tag(anyOf(OWN_SECTIONS), "\\b")}|${tag(anyOf(COMMON_NAMES), "(?!\\w|[.:-]\\w)")})`,
  "giu",
);
/** `</s>` ends a text in templates, and strikethrough text in HTML. */
const END_OF_TEXT = new RegExp(`${OPEN}(?=${GAP}*${SLASH}${GAP}*[sｓ]${GAP}*${CLOSE})`, "giu");
/** A bar directly after an opening bracket. */
const PIPED = new RegExp(`${OPEN}(?=${BAR})`, "gu");

/**
 * Neutralizes control tokens of chat templates, such as `<|im_start|>`, `[INST]` and `<tool_call>`, by replacing their first
 * bracket with a character reference. Use it for every text that reaches a model, including the user's own message. All other
 * text, including HTML and code with angle brackets, stays unchanged.
 */
export const neutralizeTokens = (text: string): string =>
  // Replace tags first: they contain brackets, which would end a token.
  text
    .replace(TEMPLATE_TAG, reference)
    .replace(SYSTEM_TOKEN, references)
    .replace(TEMPLATE_TOKEN, reference)
    .replace(BARRED_BRACKET, reference)
    .replace(BRACKET_TOKENS, bracketReferences)
    .replace(TILDE_TOKEN, reference);

/**
 * Makes text that is not the user's own message (memory, summaries, titles, files, tool results) safe inside a prompt section:
 * the result contains no control token, and it can't close the section, open another one or fake a role.
 */
export const fence = (text: string): string =>
  neutralizeTokens(
    text.replace(SECTION_TAG, reference).replace(END_OF_TEXT, reference).replace(PIPED, reference),
  );

/**
 * Applies `neutralizeTokens` to the strings in a tool call's arguments. Parses each string first, because JSON escapes may hide a token.
 * Arguments without a control token stay identical, byte for byte.
 */
export function neutralizeArguments(written: string): string {
  // Invalid JSON is shown to the model as plain text.
  if (!isJson(written)) return neutralizeTokens(written);

  // Anti-DoS: not with a reviver, which recurses. Deeply nested arguments would overflow the stack.
  return written.replaceAll(JSON_STRING, (literal) => {
    const text = String(JSON.parse(literal));
    const safe = neutralizeTokens(text);
    return safe === text ? literal : JSON.stringify(safe);
  });
}

/** A string in valid JSON. Quotation marks occur nowhere else. */
const JSON_STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/gu;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** `table[inst]` and `table[inst][inst]` are code. After a token that can't be code, all others are tokens, too. */
function bracketReferences(tokens: string, at: number, text: string): string {
  let isToken = !/[\w)\]]/u.test(text.charAt(at - 1));
  return tokens.replace(ONE_BRACKET_TOKEN, (token) => {
    isToken ||= SURE_BRACKET_TOKEN.test(token);
    return isToken ? reference(token.charAt(0)) + token.slice(1) : token;
  });
}

const reference = (character: string): string =>
  character === "<" ? "&lt;" : `&#${character.codePointAt(0)};`;

const references = (opening: string): string =>
  Array.from(opening, (character) => (isOpen.test(character) ? reference(character) : character)).join("");

const isOpen = new RegExp(OPEN, "u");
