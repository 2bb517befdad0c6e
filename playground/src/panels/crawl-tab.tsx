import { useState } from "preact/hooks";
import type { CrawlJob, NewCrawlJob } from "../../../client/src/index.ts";
import { useLoad } from "../data.ts";
import { SchemaForm } from "../forms/schema-form.tsx";
import { useClient } from "../session.tsx";
import { Button, Dialog, Empty, Problem, Skeleton } from "../ui/index.ts";
import { CrawlCard } from "./crawl-card.tsx";
import { CrawlScheduleDialog } from "./crawl-schedule.tsx";

interface CrawlTabProps {
  readonly kbId: string;
  readonly onChanged: () => void;
}

/** The crawls of a knowledge base, newest first; those that run show what they do. */
export function CrawlTab({ kbId, onChanged }: CrawlTabProps) {
  const client = useClient();
  const [open, setOpen] = useState<"creation" | "schedule">();
  const close = () => setOpen(undefined);
  const jobs = useLoad(
    (signal) =>
      client.request("GET", "/knowledge-bases/{kbId}/crawl-jobs", {
        path: { kbId },
        query: { limit: 20 },
        signal,
      }),
    [client, kbId],
  );
  const create = (
    <Button kind="primary" icon="globe" onClick={() => setOpen("creation")}>
      Crawl a site
    </Button>
  );
  const { data, error } = jobs;
  const latest = data?.[0];
  return (
    <div class="stack">
      {latest && (
        <div class="row">
          {create}
          <Button icon="history" onClick={() => setOpen("schedule")}>
            Crawl again by itself
          </Button>
        </div>
      )}
      {error !== undefined && <Problem error={error} retry={jobs.reload} />}
      {data === undefined && error === undefined && <Skeleton lines={4} />}
      {data?.length === 0 && (
        <Empty icon="globe" title="Read a whole site" action={create}>
          Name a start page or a sitemap. The crawler stays on its host, obeys robots.txt and takes a second
          for each page. You can watch it here.
        </Empty>
      )}
      {latest && (
        <ul class="knowledge-crawls">
          {data?.map((job) => (
            <CrawlCard
              key={job.job_id}
              job={job}
              onEnded={() => {
                jobs.reload();
                onChanged();
              }}
            />
          ))}
        </ul>
      )}
      {open === "schedule" && latest && <CrawlScheduleDialog kbId={kbId} latest={latest} onClose={close} />}
      {open === "creation" && (
        <CrawlDialog
          kbId={kbId}
          onClose={close}
          onCreated={(job) => {
            close();
            jobs.set([job, ...(data ?? [])]);
          }}
        />
      )}
    </div>
  );
}

interface CrawlDialogProps {
  readonly kbId: string;
  readonly onClose: () => void;
  readonly onCreated: (job: CrawlJob) => void;
}

function CrawlDialog({ kbId, onClose, onCreated }: CrawlDialogProps) {
  const client = useClient();
  const form = useLoad(
    (signal) =>
      client.request("GET", "/knowledge-bases/{kbId}/crawl-config-schema", { path: { kbId }, signal }),
    [client, kbId],
  );
  return (
    <Dialog title="Crawl a site" onClose={onClose}>
      {form.error !== undefined && <Problem error={form.error} retry={form.reload} />}
      {form.data === undefined && form.error === undefined && <Skeleton lines={6} />}
      {form.data && (
        <SchemaForm
          form={form.data}
          submitLabel="Start crawling"
          onSubmit={async (values) => {
            // The form names the members of the body, and the service checks them.
            onCreated(await client.knowledgeBases(kbId).crawl(values as unknown as NewCrawlJob));
          }}
        />
      )}
    </Dialog>
  );
}
