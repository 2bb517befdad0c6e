import { ApiError, type CrawlJob, type CrawlSchedule } from "../../../client/src/index.ts";
import { useAction, useLoad } from "../data.ts";
import { fullTime } from "../format.ts";
import { useClient } from "../session.tsx";
import { Dialog, Field, Problem, Select, Skeleton } from "../ui/index.ts";

interface CrawlScheduleDialogProps {
  readonly kbId: string;
  /** The newest job, whose source a new schedule crawls. */
  readonly latest: CrawlJob;
  readonly onClose: () => void;
}

const CHOICES = [
  { value: "never", label: "Never" },
  { value: "daily", label: "Every day" },
  { value: "weekly", label: "Every week" },
];

/** Says when a knowledge base is crawled by itself, and changes that. */
export function CrawlScheduleDialog({ kbId, latest, onClose }: CrawlScheduleDialogProps) {
  const client = useClient();
  const path = { kbId };
  const schedule = useLoad<CrawlSchedule | null>(
    async (signal) => {
      try {
        return await client.request("GET", "/knowledge-bases/{kbId}/crawl-schedule", { path, signal });
      } catch (thrown) {
        if (thrown instanceof ApiError && thrown.code === "not-found") return null;
        throw thrown;
      }
    },
    [client, kbId],
  );
  const { data, error } = schedule;
  const config = data?.config ?? latest.config;
  const change = useAction(async (every: string) => {
    if (every === "daily" || every === "weekly") {
      const { source_type, source_url, max_pages, max_depth, rate_limit_ms } = config;
      const body = { every, source_type, source_url, max_pages, max_depth, rate_limit_ms } as const;
      schedule.set(await client.knowledgeBases(kbId).setCrawlSchedule(body));
    } else {
      await client.request("DELETE", "/knowledge-bases/{kbId}/crawl-schedule", { path });
      schedule.set(null);
    }
  });
  return (
    <Dialog title="Crawl again by itself" onClose={onClose}>
      <div class="stack">
        {error !== undefined && <Problem error={error} retry={schedule.reload} />}
        {data === undefined && error === undefined && <Skeleton lines={2} />}
        {data !== undefined && (
          <Field
            label="How often"
            help={
              data?.next_run_at
                ? `The next crawl of ${config.source_url} begins at ${fullTime(data.next_run_at)}.`
                : `The crawls would read ${config.source_url}, like the latest one. Pages that have not changed cost nothing.`
            }
          >
            {(ids) => (
              <Select
                {...ids}
                value={data?.every ?? "never"}
                disabled={change.busy}
                onValue={(every) => void change.run(every)}
                options={CHOICES}
              />
            )}
          </Field>
        )}
        {data?.problem && <p role="alert">{data.problem}</p>}
        {change.error !== undefined && <Problem error={change.error} />}
      </div>
    </Dialog>
  );
}
