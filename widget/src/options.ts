import { LANGUAGES, type Language } from "./texts.ts";

/** What the attributes of the script tag say. */
export interface Options {
  /** The publishable key. */
  readonly key: string;
  /** The agent that the key must belong to; undefined if the tag does not say. */
  readonly agentId: string | undefined;
  /** The name above the chat; undefined for that of the key. */
  readonly title: string | undefined;
  /** What the chat says before the first message; undefined for the sentence of the language. */
  readonly greeting: string | undefined;
  readonly colour: Colour;
  readonly position: "left" | "right";
  readonly theme: "light" | "dark" | "auto";
  readonly language: Language;
  /** The token of a person who is signed in on the page; undefined for visitors. */
  readonly userToken: string | undefined;
  /** The name of a global function that returns such a token, or a promise of one. */
  readonly userTokenCallback: string | undefined;
}

/** The colour of buttons and of what the visitor says, and the one of text on it. */
interface Colour {
  readonly accent: string;
  readonly onAccent: string;
}

/** The options, and what is wrong with the attributes, in sentences for the page's developer. */
export interface ReadOptions {
  /** Undefined if the widget cannot work. */
  readonly options: Options | undefined;
  readonly problems: readonly string[];
}

const DEFAULT_COLOUR = "#4f46e5";

/**
 * Reads the `data-` attributes of the script tag. `pageLanguage` is the language of the page, such as `de-AT`, which counts if no
 * attribute names one. An attribute with a wrong value is reported, and has its default.
 */
export function readOptions(
  data: Readonly<Record<string, string | undefined>>,
  pageLanguage: string,
): ReadOptions {
  const problems: string[] = [];
  const oneOf = <T extends string>(name: string, values: readonly T[], usual: T): T => {
    const given = data[name]?.trim();
    if (given === undefined || given === "") return usual;
    const found = values.find((value) => value === given);
    if (found === undefined)
      problems.push(`data-${name} must be one of ${values.join(", ")}, not "${given}".`);
    return found ?? usual;
  };
  const text = (name: string): string | undefined => data[name]?.trim() || undefined;

  const colour = colourOf(text("colour") ?? text("color") ?? DEFAULT_COLOUR);
  if (!colour) problems.push("data-colour must be a colour such as #0a7d5a.");
  const languages = Object.keys(LANGUAGES) as Language[];
  const usual = languages.find((one) => pageLanguage.toLowerCase().split("-", 1)[0] === one) ?? "en";
  const optional = {
    agentId: text("agent"),
    title: text("title"),
    greeting: text("greeting"),
    colour: colour ?? { accent: DEFAULT_COLOUR, onAccent: "#ffffff" },
    position: oneOf("position", ["right", "left"], "right"),
    theme: oneOf("theme", ["auto", "light", "dark"], "auto"),
    language: oneOf("language", languages, usual),
    userToken: text("userToken"),
    userTokenCallback: text("userTokenCallback"),
  };
  const key = text("key");
  if (key === undefined) problems.push("data-key is missing: it is the publishable key of the agent, pk_….");
  return { options: key === undefined ? undefined : { key, ...optional }, problems };
}

/** Returns a colour, and black or white, whichever is easier to read on it. Undefined if the text is not of the form `#rrggbb` or `#rgb`. */
function colourOf(text: string): Colour | undefined {
  if (!/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/iu.test(text)) return undefined;
  const digits = text.length === 4 ? text.slice(1).replaceAll(/./gu, "$&$&") : text.slice(1);
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) =>
    linear(Number.parseInt(digits.slice(at, at + 2), 16) / 255),
  );
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // WCAG 2.2: the contrast of two luminances is (lighter + 0.05) / (darker + 0.05).
  const isLight = (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05);
  return { accent: `#${digits}`, onAccent: isLight ? "#000000" : "#ffffff" };
}

/** Returns the share of light that a channel of sRGB stands for, as WCAG 2.2 defines it. */
const linear = (channel: number): number =>
  channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
