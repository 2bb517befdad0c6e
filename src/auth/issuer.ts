import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import type { AppError } from "../shared/errors.ts";
import { type ClientAuthMethod, clientAuthFor } from "./client-authentication.ts";
import { IssuerDocuments } from "./issuer-documents.ts";
import { askIssuer, exchangeError, issuerUnavailable, withoutSecrets } from "./issuer-requests.ts";
import { isTrue } from "./profile.ts";
import { SignInRefused } from "./refusals.ts";
import type { SignInTransaction } from "./sign-in-transactions.ts";

const KEYS_MS = 10 * 60 * 1000;
/** A token with an unknown key triggers a refetch of the keys, but no more often than this. */
const KEYS_COOLDOWN_MS = 30_000;
/** The tolerated difference between the issuer's clock and ours. */
const CLOCK_TOLERANCE_SECONDS = 30;
const USER_INFO_ATTEMPTS = 2;
/** Asymmetric algorithms only: with a symmetric one, anyone who knows the client secret could sign tokens. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** The issuer that people sign in at, and this service's registration with it. */
export interface IssuerConfig {
  readonly issuer: string;
  readonly clientId: string;
  /** `undefined` for a public client, which has none. */
  readonly clientSecret: string | undefined;
  /** How the client authenticates; `undefined` follows the issuer's metadata. */
  readonly clientAuth: ClientAuthMethod | undefined;
  readonly redirectUri: string;
  /** Allows an issuer without TLS; for local development only. */
  readonly allowHttp: boolean;
}

interface OpenIdIssuerDeps {
  readonly config: IssuerConfig;
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
}

/** A client of an OpenID issuer, such as Google: builds the authorization URL and verifies the answer. */
export class OpenIdIssuer {
  readonly #config: IssuerConfig;
  readonly #client: oauth.Client;
  readonly #documents: IssuerDocuments;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;

  constructor({ config, fetch, now }: OpenIdIssuerDeps) {
    this.#config = config;
    this.#client = { client_id: config.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
    this.#documents = new IssuerDocuments({ issuer: config.issuer, allowHttp: config.allowHttp, fetch, now });
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Returns the URL of the issuer's sign-in page for a transaction. */
  async authorizationUrl({ state, nonce, verifier }: SignInTransaction): Promise<string> {
    const metadata = await this.#documents.metadata();
    const url = new URL(this.#documents.usable(metadata.authorization_endpoint));
    const parameters = {
      client_id: this.#config.clientId,
      redirect_uri: this.#config.redirectUri,
      response_type: "code",
      scope: "openid email profile",
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      ...(offersAccountChoice(metadata) && { prompt: "select_account" }),
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /**
   * Redeems the code in the issuer's redirect and returns the claims about the person: those of the ID token, and those
   * about the address from the userinfo endpoint if the token lacks them. Throws `SignInRefused` if the answer does not
   * match the transaction or the token is not valid, and `unavailable` if the issuer does not answer.
   */
  async identify(answer: URLSearchParams, transaction: SignInTransaction): Promise<JWTPayload> {
    const metadata = await this.#documents.metadata();
    const { idToken, accessToken } = await this.#redeem(metadata, answer, transaction);
    const claims = await this.#verify(metadata, idToken);
    const isComplete = claims["email"] !== undefined && claims["email_verified"] !== undefined;
    if (isComplete || metadata.userinfo_endpoint === undefined) return claims;
    return withUserInfo(claims, await this.#userInfo(metadata, claims.sub ?? "", accessToken));
  }

  /** Returns what the userinfo endpoint says about the subject of the ID token. */
  async #userInfo(
    metadata: oauth.AuthorizationServer,
    subject: string,
    accessToken: string,
  ): Promise<oauth.UserInfoResponse> {
    this.#documents.usable(metadata.userinfo_endpoint);
    try {
      const response = await oauth.userInfoRequest(metadata, this.#client, accessToken, {
        [oauth.customFetch]: (url, { method, headers }) =>
          askIssuer(this.#fetch, url, { method, headers }, USER_INFO_ATTEMPTS),
        [oauth.allowInsecureRequests]: this.#config.allowHttp,
      });
      if (response.status >= 500 || response.status === 429)
        throw issuerUnavailable(new Error(`The userinfo endpoint answered HTTP ${response.status}.`));
      return await oauth.processUserInfoResponse(metadata, this.#client, subject, response);
    } catch (error) {
      throw exchangeError(error);
    }
  }

  /** Returns the tokens for a code. The ID token's claims are checked here, its signature in `#verify`. */
  async #redeem(
    metadata: oauth.AuthorizationServer,
    answer: URLSearchParams,
    { state, nonce, verifier }: SignInTransaction,
  ): Promise<{ idToken: string; accessToken: string }> {
    const { clientSecret, clientAuth } = this.#config;
    this.#documents.usable(metadata.token_endpoint);
    const authentication = clientAuthFor(metadata, clientSecret, clientAuth);
    try {
      const response = await oauth.authorizationCodeGrantRequest(
        metadata,
        this.#client,
        authentication,
        oauth.validateAuthResponse(metadata, this.#client, answer, state),
        this.#config.redirectUri,
        verifier,
        {
          // One attempt: a code can be redeemed once, and a lost request may have reached the issuer.
          [oauth.customFetch]: (url, { method, headers, body }) =>
            askIssuer(this.#fetch, url, { method, headers, body }, 1),
          [oauth.allowInsecureRequests]: this.#config.allowHttp,
        },
      );
      const options = { expectedNonce: nonce, requireIdToken: true };
      const tokens = await oauth.processAuthorizationCodeResponse(metadata, this.#client, response, options);
      return { idToken: tokens.id_token ?? "", accessToken: tokens.access_token };
    } catch (error) {
      throw exchangeError(error);
    }
  }

  /** Returns the claims of a token if one of the issuer's keys has signed it. */
  async #verify(metadata: oauth.AuthorizationServer, idToken: string): Promise<JWTPayload> {
    const keys = await this.#documents.keys(metadata, KEYS_MS);
    try {
      return await this.#verifyWith(keys.value, metadata.issuer, idToken);
    } catch (error) {
      const isOld = this.#now() - keys.at >= KEYS_COOLDOWN_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey && isOld)) throw badToken(error);
    }

    // The issuer may have rotated its keys.
    const fresh = await this.#documents.keys(metadata, KEYS_COOLDOWN_MS);
    return this.#verifyWith(fresh.value, metadata.issuer, idToken).catch((error: unknown) => {
      throw badToken(error);
    });
  }

  async #verifyWith(keys: JSONWebKeySet, issuer: string, idToken: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(idToken, createLocalJWKSet(keys), {
      algorithms: ALGORITHMS,
      issuer,
      audience: this.#config.clientId,
      requiredClaims: ["sub", "exp", "iat"],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(this.#now()),
    });
    requireOurs(payload, this.#config.clientId);
    requirePast(payload, this.#now() / 1000);
    return payload;
  }
}

/**
 * Throws if the token was issued to another client. A token for several audiences must name its client as `azp`, and any `azp`
 * must be this service's client id (OpenID Connect Core 1.0, section 3.1.3.7, steps 4 and 5).
 */
function requireOurs({ aud, azp }: JWTPayload, clientId: string): void {
  const isShared = Array.isArray(aud) && aud.length > 1;
  if (azp === undefined ? isShared : azp !== clientId)
    throw new errors.JWTInvalid("The token was issued to another client.");
}

/** Throws if the token was issued in the future. jose checks `iat` only if a maximum age is set. */
function requirePast({ iat = 0 }: JWTPayload, nowSeconds: number): void {
  if (iat > nowSeconds + CLOCK_TOLERANCE_SECONDS)
    throw new errors.JWTInvalid("The token was issued in the future.");
}

/** Some issuers refuse values of `prompt` that their metadata does not list. */
const offersAccountChoice = ({ prompt_values_supported: values }: oauth.AuthorizationServer): boolean =>
  !Array.isArray(values) || values.includes("select_account");

/**
 * Adds what the ID token lacks. An address and whether it is verified belong together: the userinfo endpoint's word about
 * another address is not used.
 */
function withUserInfo(claims: JWTPayload, info: oauth.UserInfoResponse): JWTPayload {
  const { email, email_verified, name, picture } = info;
  const isSameAddress = claims["email"] === undefined || lowerCased(claims["email"]) === lowerCased(email);
  const said = { name, picture, ...(isSameAddress && { email, email_verified }) };
  const known = Object.entries(said).filter(([, value]) => value !== undefined);
  // A token without an address may call it unverified, but must not vouch for the address of the userinfo endpoint.
  const vouches = claims["email"] === undefined && isTrue(claims["email_verified"]);
  return { ...Object.fromEntries(known), ...claims, ...(vouches && { email_verified }) };
}

const lowerCased = (claim: unknown): unknown => (typeof claim === "string" ? claim.toLowerCase() : claim);

const badToken = (error: unknown): AppError => new SignInRefused("auth_failed", withoutSecrets(error));
