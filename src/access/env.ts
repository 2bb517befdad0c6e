import type { Caller } from "./caller.ts";
import type { Deps } from "../deps/request.ts";
import type { HttpEnv } from "../http/env.ts";
import type { AdmissionQueue, Leave } from "../shared/admission-queue.ts";
import type { AccessScope } from "./access-scope.ts";
import type { KeyGrant, VisitorProfile } from "./publishable-key.ts";

/** The context of every handler. */
export interface AppEnv extends HttpEnv {
  Variables: HttpEnv["Variables"] & {
    deps: Deps;
    /** The queue of `queued` routes. */
    beginnings: AdmissionQueue;
    /** Lets the next request of the queue in. For handlers of `queued` routes that go on after what they were admitted for. */
    leaveQueue?: Leave;
  };
}

/** The context of handlers after `requirePublishableKey`. */
export interface KeyEnv extends AppEnv {
  Variables: AppEnv["Variables"] & {
    /** What the publishable key of the request opens. */
    keyGrant: KeyGrant;
  };
}

/** The context of handlers after `requireVisitor`. */
export interface VisitorEnv extends UserEnv {
  Variables: UserEnv["Variables"] & KeyEnv["Variables"] & { visitor: VisitorProfile };
}

/** The context of handlers after `requireAccess`. */
export interface UserEnv extends AppEnv {
  Variables: AppEnv["Variables"] & {
    caller: Caller;
    /** The scope of the request: the caller's own, unless an owner names an end user. */
    scope: AccessScope;
    /** The id of the entity that the request creates, if it has an idempotency key; a repeat gets the same one. */
    entityId?: string;
  };
}
