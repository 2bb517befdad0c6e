/** The environment variable that tells the command about the running service, as JSON. */
export const SETTINGS = "CONFORMANCE_SETTINGS";

/** What the command needs to know of the running service. */
export interface CommandSettings {
  /** The address of the API. */
  readonly url: string;
  /** The access token of an account. */
  readonly token: string;
  /** The id of the model that calls the tools of the suite's server. */
  readonly model: string;
}

/** The name of the suite's server in the agent. The names of its tools begin with it. */
export const SERVER_NAME = "suite";
