import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";
import type { AppError } from "../shared/errors.ts";
import { IssuerDocuments } from "./issuer-documents.ts";
import { askIssuer, exchangeError, withoutSecrets } from "./issuer-requests.ts";
import { SignInRefused } from "./refusals.ts";
import type { SignInTransaction } from "./transactions.ts";

const KEYS_MS = 10 * 60 * 1000;
/** A token of an unknown key has the keys read again, but no more often than this. */
const KEYS_COOLDOWN_MS = 30_000;
/** How far the issuer's clock may be from ours. */
const CLOCK_TOLERANCE_SECONDS = 30;
/** Asymmetric ones only: with a symmetric one, the client's secret would be a signing key. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];

/** The issuer that people sign in at, and this service's registration with it. */
export interface IssuerConfig {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly redirectUri: string;
  /** Takes an issuer without TLS: on one's own machine only. */
  readonly allowHttp: boolean;
}

/** An OpenID issuer, Google for one: where people are sent, and who the issuer says they are. */
export class OpenIdIssuer {
  readonly #config: IssuerConfig;
  readonly #client: oauth.Client;
  readonly #documents: IssuerDocuments;
  readonly #fetch: typeof fetch;
  readonly #now: () => number;

  constructor(config: IssuerConfig, fetch: typeof globalThis.fetch, now: () => number) {
    this.#config = config;
    this.#client = { client_id: config.clientId, [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS };
    this.#documents = new IssuerDocuments(config.issuer, config.allowHttp, fetch, now);
    this.#fetch = fetch;
    this.#now = now;
  }

  /** The page of the issuer that a browser is sent to, for a transaction. */
  async authorizationUrl({ state, nonce, verifier }: SignInTransaction): Promise<string> {
    const { authorization_endpoint: endpoint } = await this.#documents.metadata();
    const url = new URL(this.#documents.usable(endpoint));
    const parameters = {
      client_id: this.#config.clientId,
      redirect_uri: this.#config.redirectUri,
      response_type: "code",
      scope: "openid email profile",
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: "S256",
      prompt: "select_account",
    };
    for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
    return url.href;
  }

  /**
   * Redeems the code that a browser brought back, and gives the claims of the ID token. Throws `SignInRefused` where the
   * answer does not fit the transaction, or the token does not hold.
   */
  async identify(answer: URLSearchParams, transaction: SignInTransaction): Promise<JWTPayload> {
    const metadata = await this.#documents.metadata();
    return this.#verify(metadata, await this.#redeem(metadata, answer, transaction));
  }

  /** The ID token for a code; its claims are checked, its signature is not. */
  async #redeem(
    metadata: oauth.AuthorizationServer,
    answer: URLSearchParams,
    { state, nonce, verifier }: SignInTransaction,
  ): Promise<string> {
    this.#documents.usable(metadata.token_endpoint);
    try {
      const response = await oauth.authorizationCodeGrantRequest(
        metadata,
        this.#client,
        oauth.ClientSecretPost(this.#config.clientSecret),
        oauth.validateAuthResponse(metadata, this.#client, answer, state),
        this.#config.redirectUri,
        verifier,
        {
          // Once only: a code that may have arrived is used up.
          [oauth.customFetch]: (url, { method, headers, body }) =>
            askIssuer(this.#fetch, url, { method, headers, body }, 1),
          [oauth.allowInsecureRequests]: this.#config.allowHttp,
        },
      );
      const options = { expectedNonce: nonce, requireIdToken: true };
      const tokens = await oauth.processAuthorizationCodeResponse(metadata, this.#client, response, options);
      return tokens.id_token ?? "";
    } catch (error) {
      throw exchangeError(error);
    }
  }

  /** The claims of a token that one of the issuer's keys has signed. */
  async #verify(metadata: oauth.AuthorizationServer, idToken: string): Promise<JWTPayload> {
    const keys = await this.#documents.keys(metadata, KEYS_MS);
    try {
      return await this.#verifyWith(keys.value, metadata.issuer, idToken);
    } catch (error) {
      const isOld = this.#now() - keys.at >= KEYS_COOLDOWN_MS;
      if (!(error instanceof errors.JWKSNoMatchingKey && isOld)) throw badToken(error);
    }

    // The issuer may have begun to sign with a new key.
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
    return payload;
  }
}

const badToken = (error: unknown): AppError => new SignInRefused("auth_failed", withoutSecrets(error));
