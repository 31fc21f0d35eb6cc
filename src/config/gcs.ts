// What storage.trace.gcs must say for backend gcs, beyond what each of its keys takes.
import type { GcsConfig } from "./config.ts";
import { checkPrefix } from "./prefix.ts";

/** The service takes chunks of multiples of this; others are made larger. */
const chunkBytesMin = 256 * 1024;
/** Chunks are held in memory, two of each object that is being written. */
const chunkBytesMax = 1024 * 1024 * 1024;

type Report = (key: string, message: string) => void;

/** @param report takes what is wrong, by the key's name within storage.trace.gcs */
export function checkGcs(gcs: GcsConfig, report: Report): void {
  if (gcs.bucket_name === "") report("bucket_name", "must name the bucket that backend gcs keeps blocks in");
  else if (!/^[a-z0-9][a-z0-9._-]*$/.test(gcs.bucket_name)) {
    report(
      "bucket_name",
      `expected lowercase letters, digits, dots, dashes and underscores, found "${gcs.bucket_name}"; what is within it goes into prefix`,
    );
  }
  checkPrefix(gcs.prefix, report);
  checkEndpoint(gcs, report);
  const bytes = gcs.chunk_buffer_size;
  if (bytes < chunkBytesMin || bytes > chunkBytesMax) {
    report("chunk_buffer_size", `must be from 256KiB to 1GiB, found ${bytes} bytes`);
  }
}

function checkEndpoint({ endpoint, insecure }: GcsConfig, report: Report): void {
  if (endpoint === "") return;
  const url = URL.parse(endpoint);
  const isWeb = url?.protocol === "http:" || url?.protocol === "https:";
  if (!url || !isWeb || url.search !== "" || url.hash !== "" || url.username !== "") {
    const example = "https://storage.googleapis.com/storage/v1/";
    // Without what stands there: it may have a password in it.
    report("endpoint", `expected the URL of the API such as ${example}`);
  } else if (url.protocol === "http:" && !insecure) {
    report("endpoint", "must begin with https://, since a token goes along; insecure: true goes without one");
  }
}
