/** The parameters of a `WWW-Authenticate` header that say how to get a token. */
const PARAMETERS = {
  resource_metadata: /(?:^|[\s,])resource_metadata="([^"]{1,2000})"/u,
  scope: /(?:^|[\s,])scope="([^"]{1,2000})"/u,
} as const;

/** Returns a parameter of a `WWW-Authenticate` header; `undefined` if there is none. */
export const parameterIn = (challenge: string, name: keyof typeof PARAMETERS): string | undefined =>
  PARAMETERS[name].exec(challenge)?.[1];
