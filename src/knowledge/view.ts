import * as z from "zod";
import { strongTag } from "../http/etag.ts";
import { sliceWhole } from "../shared/text.ts";
import type { LegacyChunk } from "./legacy-chunk-model.ts";
import type { KnowledgeBase } from "./model.ts";
import type { FullPage, Page } from "./page-model.ts";
import type { UploadResult } from "./upload-service.ts";

/** A knowledge base in answers. */
export const KnowledgeBaseView = z
  .object({
    kb_id: z.string(),
    name: z.string(),
    description: z.string().nullable(),
    pinecone_namespace: z.string().nullable(),
    total_pages: z.number(),
    total_chunks: z.number(),
    total_vectors: z.number(),
    status: z.enum(["active", "deleted"]),
    created_by: z.string(),
    created_at: z.string(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: "KnowledgeBase" });

/** For callers that may write but not read. */
export const KnowledgeBaseReference = KnowledgeBaseView.pick({
  kb_id: true,
  status: true,
  created_at: true,
  updated_at: true,
}).meta({ id: "KnowledgeBaseReference" });

export const toKnowledgeBaseView = (base: KnowledgeBase): z.infer<typeof KnowledgeBaseView> => ({
  kb_id: base.id,
  name: base.name,
  description: base.description,
  pinecone_namespace: base.pineconeNamespace,
  total_pages: base.totalPages,
  total_chunks: base.totalChunks,
  total_vectors: base.totalVectors,
  status: base.status,
  created_by: base.accountEmail,
  created_at: base.createdAt,
  updated_at: base.updatedAt,
});

/** The entity tag of a base. Every change of the base or of one of its pages changes it. */
export const baseTag = ({ createdAt, updatedAt }: KnowledgeBase): string => strongTag(updatedAt ?? createdAt);

/** A page in lists. */
export const PageView = z
  .object({
    page_id: z.string(),
    url: z.string().nullable(),
    file_name: z.string().nullable(),
    title: z.string().nullable(),
    description: z.string().nullable(),
    language: z.string().nullable(),
    word_count: z.number(),
    chunk_count: z.number(),
    index_error: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "KnowledgePage" });

export const toPageView = (page: Page): z.infer<typeof PageView> => ({
  page_id: page.id,
  url: page.url,
  file_name: page.fileName,
  title: page.title,
  description: page.description,
  language: page.language,
  word_count: page.wordCount,
  chunk_count: page.chunkCount,
  index_error: page.indexError,
  created_at: page.createdAt,
  updated_at: page.updatedAt,
});

/** A page with a part of its text. */
export const PageTextView = PageView.extend({
  markdown: z.string(),
  from: z.number(),
  next_from: z.number().nullable(),
  total_chars: z.number(),
}).meta({ id: "KnowledgePageText" });

/** Returns at most `maxChars` characters of a page's text from a position on, and no half character at either end. */
export function toPageTextView(page: FullPage, at: number, maxChars: number): z.infer<typeof PageTextView> {
  const { length } = page.markdown;
  const from = sliceWhole(page.markdown, 0, at).length;
  const markdown = sliceWhole(page.markdown, from, Math.min(length, from + maxChars));
  const end = from + markdown.length;
  return {
    ...toPageView(page),
    markdown,
    from,
    next_from: end < length ? end : null,
    total_chars: length,
  };
}

/** What became of one uploaded file. */
const UploadedFileView = z.object({
  file_name: z.string(),
  status: z.enum(["stored", "replaced", "unchanged", "failed"]),
  page_id: z.string().nullable(),
  title: z.string().nullable(),
  word_count: z.number(),
  warning: z.string().nullable(),
  error: z.object({ code: z.string(), detail: z.string() }).nullable(),
});

export const UploadsView = z.object({ files: z.array(UploadedFileView) }).meta({ id: "Uploads" });

export const UploadsReference = z
  .object({ files: z.array(UploadedFileView.pick({ status: true, page_id: true })) })
  .meta({ id: "UploadsReference" });

export const toUploadsView = (results: readonly UploadResult[]): z.infer<typeof UploadsView> => ({
  files: results.map((result) =>
    result.status === "failed"
      ? {
          file_name: result.name,
          status: result.status,
          page_id: null,
          title: null,
          word_count: 0,
          warning: null,
          error: { code: result.error.code, detail: result.error.message },
        }
      : {
          file_name: result.name,
          status: result.status,
          page_id: result.page.id,
          title: result.page.title,
          word_count: result.page.wordCount,
          warning: result.warning,
          error: null,
        },
  ),
});

/** A chunk of the legacy Python service in answers. */
export const LegacyChunkView = z
  .object({
    chunk_id: z.string(),
    source_url: z.string(),
    page_title: z.string().nullable(),
    chunk_index: z.number(),
    content: z.string(),
    word_count: z.number(),
    parent_chunk_id: z.string().nullable(),
    level: z.number(),
    created_at: z.string(),
  })
  .meta({ id: "LegacyChunk" });

export const toLegacyChunkView = (chunk: LegacyChunk): z.infer<typeof LegacyChunkView> => ({
  chunk_id: chunk.id,
  source_url: chunk.sourceUrl,
  page_title: chunk.pageTitle,
  chunk_index: chunk.index,
  content: chunk.content,
  word_count: chunk.wordCount,
  parent_chunk_id: chunk.parentId,
  level: chunk.level,
  created_at: chunk.createdAt,
});
