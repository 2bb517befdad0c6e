import type { Identity } from "../auth/tokens.ts";
import type { Deps } from "../deps.ts";

/** What every handler finds on its context. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    deps: Deps;
    requestId: string;
  };
}

/** What handlers behind the sign-in find besides. */
export interface UserEnv extends AppEnv {
  Variables: AppEnv["Variables"] & {
    user: Identity;
    /** The id that a keyed request gives to what it makes; nothing without an idempotency key. */
    entityId?: string;
  };
}
