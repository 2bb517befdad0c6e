import { isObject, type Json, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { inParentheses, sliceWhole } from "../shared/text.ts";

/** The longest address or name in a description of what is not shown, in characters. */
const MAX_NAME_CHARS = 300;

/** Anti-DoS: the longest result, in characters, as that of an HTTP tool. The results of a turn are kept until it ends. */
const MAX_RESULT_CHARS = 256 * 1024;

/**
 * Returns the result of a tool as text for the model. It begins with `Error:` if the server says that the call has failed. `redact` removes
 * secrets from a text.
 */
export function resultText(result: Json, redact: (text: string) => string): string {
  if ("resultType" in result && result["resultType"] !== "complete")
    return "Error: The server asks for more input, which is not supported.";

  const parts = objectsAt(result, "content");
  const structured = result["structuredContent"];
  const whole = parts.length === 0 && isObject(structured) ? JSON.stringify(structured) : joined(parts);
  const text = shortened(redact(whole.toWellFormed()));
  if (result["isError"] === true) return `Error: ${text === "" ? "The tool has failed." : text}`;
  return text === "" ? "(The tool returned nothing.)" : text;
}

/** Joins the texts of the first parts. Stops when they are longer than what is shown: a part of two characters may have a text of fifty. */
function joined(parts: readonly Json[]): string {
  let text = "";
  for (const [index, part] of parts.entries()) {
    if (text.length > MAX_RESULT_CHARS) break;
    text += (index === 0 ? "" : "\n\n") + partText(part);
  }
  return text;
}

const shortened = (text: string): string =>
  text.length <= MAX_RESULT_CHARS
    ? text
    : `${sliceWhole(text, 0, MAX_RESULT_CHARS)}\n\n(The rest of the result is not shown.)`;

function partText(part: Json): string {
  const type = textAt(part, "type");
  switch (type) {
    case "text":
      return textAt(part, "text");
    case "image":
    case "audio":
      return notShown(`${type} of type ${textAt(part, "mimeType")}`, textAt(part, "data"));
    case "resource_link":
      return `${textAt(part, "name")}: ${textAt(part, "uri")}`;
    case "resource": {
      const resource = objectAt(part, "resource");
      const uri = textAt(resource, "uri");
      return typeof resource["text"] === "string"
        ? `${uri}\n${resource["text"]}`
        : notShown(`resource ${uri}`, textAt(resource, "blob"));
    }
    default:
      return notShown("content of another kind", "");
  }
}

/** Base64 has four characters for three bytes. */
const notShown = (what: string, base64: string): string =>
  `(${inParentheses(what.slice(0, MAX_NAME_CHARS))}, ${Math.floor((base64.length * 3) / 4)} bytes, is not shown.)`;
