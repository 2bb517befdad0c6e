import { ApiError } from "../../../client/src/index.ts";
import { Button } from "./button.tsx";
import { Icon } from "./icon.tsx";

/** Returns a sentence for people. */
const sentenceOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : "Something went wrong. Please try again.";

/** Returns what is wrong with each member of a request, by its name. The first sentence about a member counts. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  if (!(error instanceof ApiError)) return found;
  for (const { path, message } of error.errors) {
    const name = path.at(-1);
    if (name !== undefined && !Object.hasOwn(found, name)) found[name] = message;
  }
  return found;
}

/** Returns a web address that a problem names, if it is one that may be opened. */
function addressIn(error: unknown): string | undefined {
  const address: unknown = error instanceof ApiError ? error.problem.upgrade_url : undefined;
  const url = typeof address === "string" ? URL.parse(address) : null;
  return url?.protocol === "https:" || url?.protocol === "http:" ? url.href : undefined;
}

export interface ProblemProps {
  readonly error: unknown;
  /** Adds a button that tries again. */
  readonly retry?: (() => void) | undefined;
}

/** Says what went wrong, where the person is looking, and what can be done about it. */
export function Problem({ error, retry }: ProblemProps) {
  const upgrade = addressIn(error);
  const requestId = error instanceof ApiError && error.status >= 500 ? error.requestId : undefined;
  return (
    <div class="problem" role="alert">
      <Icon name="alert" />
      <div class="problem-text">
        <p>{sentenceOf(error)}</p>
        {upgrade !== undefined && (
          <p>
            <a href={upgrade} target="_blank" rel="noopener noreferrer">
              See the plans
            </a>
          </p>
        )}
        {requestId !== undefined && <p class="muted mono">Request {requestId}</p>}
      </div>
      {retry !== undefined && (
        <Button small icon="refresh" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}
