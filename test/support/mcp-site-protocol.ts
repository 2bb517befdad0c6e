/** What tests, which run in workerd, say to the MCP servers beside them, which run in Node. Types only. */

export interface McpSiteOptions {
  /** Which official SDK serves: that of the stateless revision, or that of the revisions with sessions. `stateless` unless told. */
  readonly protocol?: "stateless" | "sessions";
  /** The token that every request needs. */
  readonly bearer?: string;
  /** Whether it asks for tokens of its own authorization server. */
  readonly oauth?: boolean;
  /** A scope without which tools can be listed but not called. */
  readonly callScope?: string;
  /** Whether its authorization server registers clients. It does unless told. */
  readonly registers?: boolean;
  /** The names of the tools that it does not offer any longer. */
  readonly removed?: readonly string[];
  /** Counted up to make all sessions or access tokens invalid that there are. */
  readonly sessionEpoch?: number;
  readonly tokenEpoch?: number;
  /** Whether its authorization server refuses refresh tokens. */
  readonly refusesRefresh?: boolean;
  /** How its authorization server answers who revokes a token: as an HTTP status, 200 unless told. */
  readonly revocationStatus?: number;
  /** How long access tokens are valid, in seconds; 3,600 unless told. */
  readonly expiresIn?: number;
}

/** A request that a server got. `rpc` is the method of its message. */
export interface McpSiteRequest {
  readonly method: string;
  readonly path: string;
  readonly rpc: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface McpSiteLog {
  readonly requests: readonly McpSiteRequest[];
  /** The bodies of requests to the authorization server, in order. */
  readonly grants: readonly Readonly<Record<string, string>>[];
}
