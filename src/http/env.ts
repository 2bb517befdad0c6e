import type { Caller } from "../auth/caller.ts";
import type { Deps } from "../deps.ts";
import type { Space } from "../users/space.ts";

/** What every handler finds on its context. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    deps: Deps;
    requestId: string;
  };
}

/** What handlers find that are not open to everybody. */
export interface UserEnv extends AppEnv {
  Variables: AppEnv["Variables"] & {
    caller: Caller;
    /** Whose conversations and memories the request is about: the caller's, unless an owner names an end user. */
    space: Space;
    /** The id that a keyed request gives to what it makes; nothing without an idempotency key. */
    entityId?: string;
  };
}
