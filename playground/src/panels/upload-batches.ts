/** A file to upload. */
export interface SizedFile {
  readonly size: number;
}

/** The most files of a request. The service reads them one after the other. */
const MAX_FILES = 20;
/** The most bytes of the files of a request: the service's limit of 10 MB, less what the form adds to them. */
const MAX_BYTES = 10 * 1024 * 1024 - 64 * 1024;

/**
 * Divides files into requests that the service accepts, in order. A file that is too large by itself gets a request of its own, which
 * the service refuses with a sentence that says so.
 */
export function uploadBatches<File extends SizedFile>(files: readonly File[]): readonly (readonly File[])[] {
  const batches: File[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = batches.at(-1);
    if (last && last.length < MAX_FILES && bytes + file.size <= MAX_BYTES) {
      last.push(file);
      bytes += file.size;
    } else {
      batches.push([file]);
      bytes = file.size;
    }
  }
  return batches;
}
