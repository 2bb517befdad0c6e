import { useEffect, useState } from "preact/hooks";
import type { CrawlJob } from "../../../client/src/index.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Bar, Button, Problem, Time } from "../ui/index.ts";
import {
  type CrawlState,
  crawledShare,
  initialState,
  isUnfinished,
  progressSentence,
  withEvent,
} from "./crawl-progress.ts";
import { safeLink } from "./passage-parts.ts";

interface CrawlCardProps {
  readonly job: CrawlJob;
  /** Called when the job has ended while it was shown. */
  readonly onEnded: () => void;
}

const STATUSES: Readonly<Record<CrawlJob["status"], string>> = {
  pending: "Waiting",
  in_progress: "Running",
  completed: "Finished",
  failed: "Failed",
  cancelled: "Cancelled",
};

const STEP_LABELS = { stored: "Stored", skipped: "Skipped", failed: "Failed", removed: "Removed" } as const;

/** A crawl job. While it runs, its steps appear as they happen. */
export function CrawlCard({ job, onEnded }: CrawlCardProps) {
  const client = useClient();
  const { kb_id: kbId, job_id: jobId } = job;
  const { state, error } = useCrawl(job, onEnded);
  const cancel = useAction(async () => {
    await client.request("DELETE", "/knowledge-bases/{kbId}/crawl-jobs/{jobId}", { path: { kbId, jobId } });
  });
  const isRunning = isUnfinished(state.status);
  return (
    <li class="card stack knowledge-crawl">
      <div class="row">
        <strong class="knowledge-source">{job.config.source_url}</strong>
        <span class="badge" data-kind={state.status}>
          {STATUSES[state.status]}
        </span>
      </div>
      <p class="muted">
        <Time at={job.created_at} />
        {job.is_scheduled && " · by the schedule"}
      </p>
      {isRunning && (
        <Bar value={crawledShare(state)} max={1} label={`Progress of ${job.config.source_url}`} />
      )}
      <p>{progressSentence(state)}</p>
      {job.notes.map((note) => (
        <p key={note} class="muted">
          {note}
        </p>
      ))}
      {state.steps.length > 0 && (
        <ol class="list knowledge-steps" tabIndex={0} aria-label="What happened last, newest first">
          {state.steps.map((step) => (
            <li key={step.id} data-kind={step.kind}>
              <span class="badge" data-kind={step.kind}>
                {STEP_LABELS[step.kind]}
              </span>{" "}
              <StepLink url={step.url} /> <span class="muted">{step.message}</span>
            </li>
          ))}
        </ol>
      )}
      {(error ?? cancel.error) !== undefined && <Problem error={error ?? cancel.error} />}
      {isRunning && (
        <div class="row">
          <Button kind="quiet" busy={cancel.busy} onClick={() => void cancel.run()}>
            Cancel
          </Button>
        </div>
      )}
    </li>
  );
}

function StepLink({ url }: { readonly url: string }) {
  const link = safeLink(url);
  return link === undefined ? (
    <>{url}</>
  ) : (
    <a href={link} target="_blank" rel="noopener noreferrer">
      {link}
    </a>
  );
}

/** Follows a job until it has ended. A lost connection is resumed behind the last step; a job that has ended is not followed. */
function useCrawl(
  job: CrawlJob,
  onEnded: () => void,
): { readonly state: CrawlState; readonly error: unknown } {
  const client = useClient();
  const { kb_id: kbId, job_id: jobId } = job;
  const [state, setState] = useState(() => initialState(job));
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    if (!isUnfinished(job.status)) return undefined;
    const left = new AbortController();
    const follow = async (): Promise<void> => {
      try {
        const events = client.knowledgeBases(kbId).followCrawlJob(jobId, { signal: left.signal });
        for await (const event of events) setState((known) => withEvent(known, event));
        if (!left.signal.aborted) onEnded();
      } catch (thrown) {
        if (!left.signal.aborted) setError(thrown);
      }
    };
    void follow();
    return () => left.abort();
  }, [client, kbId, jobId]);
  return { state, error };
}
