import { useState } from "preact/hooks";
import type { Uploads } from "../../../client/src/index.ts";
import { formatBytes } from "../format.ts";
import { useAction } from "../data.ts";
import { useClient } from "../session.tsx";
import { Button, Icon, Problem } from "../ui/index.ts";
import { counted } from "./formats.ts";
import { uploadBatches } from "./upload-batches.ts";

interface UploadZoneProps {
  readonly kbId: string;
  readonly onUploaded: () => void;
}

type Result = Uploads["files"][number];

const OUTCOMES: Readonly<Record<string, string>> = {
  stored: "Stored",
  replaced: "Replaced the earlier one",
  unchanged: "Unchanged",
  failed: "Not stored",
};

/** A place to drop files on, or to choose them. Says what became of each. */
export function UploadZone({ kbId, onUploaded }: UploadZoneProps) {
  const client = useClient();
  const [isOver, setOver] = useState(false);
  const [results, setResults] = useState<readonly Result[]>([]);
  const [pending, setPending] = useState<readonly File[]>([]);
  const upload = useAction(async (files: readonly File[]) => {
    setResults([]);
    setPending(files);
    try {
      for (const batch of uploadBatches(files)) {
        const { files: stored } = await client.knowledgeBases(kbId).upload(batch);
        setPending((waiting) => waiting.slice(batch.length));
        setResults((known) => [...known, ...stored]);
        onUploaded();
      }
    } finally {
      setPending([]);
    }
  });
  const take = (files: FileList | null | undefined) => {
    if (files && files.length > 0) void upload.run([...files]);
  };
  const bytes = pending.reduce((sum, { size }) => sum + size, 0);
  return (
    <div class="stack">
      <div
        class="knowledge-drop"
        data-over={isOver}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          take(event.dataTransfer?.files);
        }}
      >
        <Icon name="upload" />
        <p>
          <label class="knowledge-choose">
            <input
              type="file"
              multiple
              class="visually-hidden"
              disabled={upload.busy}
              onChange={(event) => {
                take(event.currentTarget.files);
                // Choosing the same file again must be a change again.
                event.currentTarget.value = "";
              }}
            />
            Choose files
          </label>{" "}
          or drop them here.
        </p>
        <p class="muted">Markdown, text, HTML, CSV, DOCX and PDF, up to 10 MB each.</p>
      </div>
      <div aria-live="polite" class="stack">
        {pending.length > 0 && (
          <p class="muted">
            Reading {counted(pending.length, "file")} ({formatBytes(bytes)}) …
          </p>
        )}
        {upload.error !== undefined && <Problem error={upload.error} />}
        {results.length > 0 && (
          <ul class="list knowledge-results" aria-label="Uploaded files">
            {results.map((file, index) => (
              <li key={index} class="list-row">
                <span>
                  <strong>{file.file_name}</strong>
                  <span class="muted">
                    {" "}
                    · {OUTCOMES[file.status] ?? file.status}
                    {file.status !== "failed" && `, ${counted(file.word_count, "word")}`}
                  </span>
                  {file.error && <span class="knowledge-failed">{file.error.detail}</span>}
                  {file.warning && <span class="knowledge-warning">{file.warning}</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
        {results.length > 0 && (
          <div class="row">
            <Button kind="quiet" onClick={() => setResults([])}>
              Hide the list
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
