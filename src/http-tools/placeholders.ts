import { isObject } from "../shared/json.ts";
import type { Issue } from "../shared/errors.ts";
import type { BodyTemplate, HttpToolSettings, RequestTemplate } from "./model.ts";
import { parameterNames } from "./parameters.ts";
import { partsOfUrl } from "./request.ts";
import { hasStrayBraces, namesIn, partsOf } from "./template.ts";

/** A text of a request that may have placeholders, and where it is. */
interface Place {
  readonly path: readonly PropertyKey[];
  readonly text: string;
}

/** Returns what is wrong with the placeholders of a tool's request; empty if each of them will have a value. */
export function placeholderProblems(
  { parameters, request }: Pick<HttpToolSettings, "parameters" | "request">,
  secretNames: readonly string[],
): readonly Issue[] {
  const { all, required } = parameterNames(parameters);
  const inPath = namesIn(partsOfUrl(request.url).path, "argument");
  const optional = inPath.find((name) => all.includes(name) && !required.includes(name));

  return [
    ...(request.method === "GET" && request.body !== null
      ? [{ path: ["body"], code: "custom", message: "A GET request has no body." }]
      : []),
    ...placesOf(request).flatMap(({ path, text }) => {
      const at = { path, code: "custom" };
      const unknown = namesIn(text, "argument").find((name) => !all.includes(name));
      const secret = namesIn(text, "secret").find((name) => !secretNames.includes(name));
      return [
        ...(hasStrayBraces(text)
          ? [{ ...at, message: "A placeholder has to look like {{name}} or {{secrets.name}}." }]
          : []),
        ...(unknown === undefined ? [] : [{ ...at, message: `{{${unknown}}} is not among the parameters.` }]),
        ...(secret === undefined
          ? []
          : [{ ...at, message: `{{secrets.${secret}}} has no value. Send it as \`secrets.${secret}\`.` }]),
      ];
    }),
    ...(optional === undefined
      ? []
      : [
          {
            path: ["parameters", "required"],
            code: "custom",
            message: `${optional} is a part of the URL's path, so it has to be among the required parameters.`,
          },
        ]),
  ];
}

/** Returns a URL as it may be with arguments, to judge its host and form. */
export const exampleUrl = (template: string): string =>
  partsOf(template)
    .map((part) => (part.kind === "text" ? part.text : "x"))
    .join("");

function placesOf({ url, headers, body }: RequestTemplate): readonly Place[] {
  return [
    { path: ["url"], text: url },
    ...Object.entries(headers).map(([name, text]) => ({ path: ["headers", name], text })),
    ...(body ? placesOfBody(body) : []),
  ];
}

function placesOfBody(body: BodyTemplate): readonly Place[] {
  if ("text" in body) return [{ path: ["body", "text"], text: body.text }];
  if ("form" in body)
    return Object.entries(body.form).map(([name, text]) => ({ path: ["body", "form", name], text }));
  return placesOfJson(body.json, ["body", "json"]);
}

/** The depth of a body is limited before. */
function placesOfJson(value: unknown, path: readonly PropertyKey[]): readonly Place[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (Array.isArray(value)) return value.flatMap((element, index) => placesOfJson(element, [...path, index]));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => placesOfJson(member, [...path, name]));
}
