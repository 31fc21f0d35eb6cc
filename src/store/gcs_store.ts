// The store that storage.trace.gcs describes.
import type { GcsConfig } from "../config/config.ts";
import { fetchWith, noTls } from "./fetch.ts";
import { gcsAddress } from "./gcs_address.ts";
import { GcsRequests } from "./gcs_request.ts";
import { GcsService } from "./gcs_service.ts";
import { askGcsToken } from "./gcs_token.ts";
import { quantumBytes } from "./gcs_uploads.ts";
import { keyPrefix } from "./object_path.ts";
import { RemoteStore } from "./remote_store.ts";
import { Renewed } from "./renewed.ts";
import { resilient } from "./resilience.ts";
import { StoreError } from "./store_error.ts";

const under = "storage.trace.gcs";
/** Uploads take their parts one after the other. */
const partsMax = 1;
/** An object takes one write in a second: with three retries the last one comes late enough. */
const backoffMsInitial = 500;
const backoffMsMax = 30_000;

/** @throws StoreError naming the key if the runtime can't do what is asked; the rest was checked with the configuration */
export function openGcsStore(config: GcsConfig): RemoteStore {
  const address = gcsAddress({ bucket: config.bucket_name, endpoint: config.endpoint });
  // As in Tempo: neither credentials nor certificates are looked at.
  const insecureSkipVerify = config.insecure && address.objects.startsWith("https:");
  if (insecureSkipVerify && "Deno" in globalThis) {
    throw new StoreError(`store: ${under}.insecure: leaving certificates unchecked needs Bun; this is Deno`);
  }
  const tls = { ...noTls, insecureSkipVerify };
  const token = config.insecure ? null : new Renewed(askGcsToken, Date.now);
  const service = new GcsService(config.bucket_name, address, new GcsRequests(token, fetchWith(tls, under)), {
    cacheControl: config.object_cache_control,
    metadata: config.object_metadata,
  });
  const steadfast = resilient(service, {
    retry: { attemptsMax: 1 + config.max_retries, backoffMsInitial, backoffMsMax },
    hedge: { afterMs: config.hedge_requests_at, requestsMax: config.hedge_requests_up_to },
  });
  return new RemoteStore(steadfast, {
    prefix: keyPrefix(config.prefix),
    listsMax: config.list_blocks_concurrency,
    partBytes: Math.ceil(config.chunk_buffer_size / quantumBytes) * quantumBytes,
    partsMax,
  });
}
