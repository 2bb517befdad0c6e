/** Real issuers, as far as their metadata and their tokens differ. */

type Claims = Readonly<Record<string, unknown>>;

export interface IssuerProfile {
  /** Metadata in addition to the endpoints that every issuer has. */
  readonly metadata: Claims;
  /** How clients may authenticate; what the metadata lists is not always what a client's registration allows. */
  readonly accepts: readonly string[];
  /** The claims of the ID token; all of them by default. */
  readonly inToken?: (claims: Claims) => Claims;
  /** The answer of the userinfo endpoint; by default, there is none. */
  readonly inUserInfo?: (claims: Claims) => Claims;
  /** The issuer's name ends with a slash. */
  readonly endsWithSlash?: boolean;
}

const without =
  (...names: readonly string[]) =>
  (claims: Claims): Claims =>
    Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

/** An ID token with a subject and no other claims about the person. */
const thin = without("email", "email_verified", "name", "picture");

const methods = (...names: readonly string[]) => ({ token_endpoint_auth_methods_supported: names });

export const ISSUER_PROFILES: Readonly<Record<string, IssuerProfile>> = {
  google: {
    metadata: {
      ...methods("client_secret_post", "client_secret_basic"),
      code_challenge_methods_supported: ["plain", "S256"],
    },
    accepts: ["client_secret_post", "client_secret_basic"],
    inUserInfo: (claims) => claims,
  },
  entra: {
    // Lists no methods of PKCE, and never says whether an address is verified.
    metadata: methods("client_secret_post", "private_key_jwt", "client_secret_basic"),
    accepts: ["client_secret_post", "client_secret_basic"],
    inToken: without("email_verified"),
    inUserInfo: without("email_verified"),
  },
  okta: {
    metadata: {
      ...methods("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"),
      code_challenge_methods_supported: ["S256"],
    },
    accepts: ["client_secret_basic", "client_secret_post"],
    inToken: thin,
    inUserInfo: (claims) => claims,
  },
  auth0: {
    metadata: {
      ...methods("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
      code_challenge_methods_supported: ["S256", "plain"],
    },
    accepts: ["client_secret_post"],
    inUserInfo: (claims) => claims,
    endsWithSlash: true,
  },
  keycloak: {
    metadata: {
      ...methods(
        "private_key_jwt",
        "client_secret_basic",
        "client_secret_post",
        "tls_client_auth",
        "client_secret_jwt",
      ),
      code_challenge_methods_supported: ["plain", "S256"],
      authorization_response_iss_parameter_supported: true,
      prompt_values_supported: ["none", "login", "consent"],
    },
    accepts: ["client_secret_basic", "client_secret_post"],
    inUserInfo: (claims) => claims,
  },
  authelia: {
    // A client is registered for one method, by default this one.
    metadata: {
      ...methods("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"),
      code_challenge_methods_supported: ["S256"],
    },
    accepts: ["client_secret_basic"],
    inToken: thin,
    inUserInfo: (claims) => claims,
  },
  cognito: {
    metadata: methods("client_secret_basic", "client_secret_post"),
    accepts: ["client_secret_basic", "client_secret_post"],
    inToken: without("email_verified"),
    inUserInfo: (claims) => ({ ...claims, email_verified: String(claims["email_verified"]) }),
  },
  "basic-only": { metadata: methods("client_secret_basic"), accepts: ["client_secret_basic"] },
  unstated: { metadata: {}, accepts: ["client_secret_basic"] },
  "jwt-only": {
    metadata: {
      ...methods("client_secret_jwt"),
      token_endpoint_auth_signing_alg_values_supported: ["HS256"],
    },
    accepts: ["client_secret_jwt"],
  },
  "pkce-only": { metadata: methods("none"), accepts: ["none"] },
  "key-only": { metadata: methods("private_key_jwt"), accepts: ["private_key_jwt"] },
  "other-subject": {
    metadata: methods("client_secret_post"),
    accepts: ["client_secret_post"],
    inToken: thin,
    inUserInfo: (claims) => ({ ...claims, sub: "somebody-else" }),
  },
  "other-address": {
    metadata: methods("client_secret_post"),
    accepts: ["client_secret_post"],
    inToken: without("email_verified"),
    inUserInfo: (claims) => ({ ...claims, email: "other@example.org", email_verified: true }),
  },
  "verified-without-address": {
    metadata: methods("client_secret_post"),
    accepts: ["client_secret_post"],
    inToken: without("email"),
    inUserInfo: (claims) => ({ ...claims, email_verified: false }),
  },
  "failing-userinfo": {
    metadata: methods("client_secret_post"),
    accepts: ["client_secret_post"],
    inToken: thin,
    inUserInfo: () => {
      throw new Error("Out of order.");
    },
  },
};

/** Every other issuer of the tests. */
export const PLAIN_PROFILE: IssuerProfile = {
  metadata: methods("client_secret_post"),
  accepts: ["client_secret_post"],
};
