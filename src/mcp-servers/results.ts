import { isObject, type Json, objectAt, objectsAt, textAt } from "../shared/json.ts";
import { inParentheses } from "../shared/text.ts";

/** The longest address or name in a description of what is not shown, in characters. */
const MAX_NAME_CHARS = 300;

/** Returns the result of a tool as text for the model. It begins with `Error:` if the server says that the call has failed. */
export function resultText(result: Json): string {
  if ("resultType" in result && result["resultType"] !== "complete")
    return "Error: The server asks for more input, which is not supported.";

  const parts = objectsAt(result, "content").map(partText);
  const structured = result["structuredContent"];
  const shown = parts.length === 0 && isObject(structured) ? [JSON.stringify(structured)] : parts;
  const text = shown.join("\n\n").toWellFormed();
  if (result["isError"] === true) return `Error: ${text === "" ? "The tool has failed." : text}`;
  return text === "" ? "(The tool returned nothing.)" : text;
}

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
