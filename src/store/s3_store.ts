// The store that storage.trace.s3 describes.
import process from "node:process";
import type { S3Config } from "../config/config.ts";
import { AwsCredentialsSource } from "./aws_credentials.ts";
import { fetchWith } from "./fetch.ts";
import { keyPrefix } from "./object_path.ts";
import { RemoteStore } from "./remote_store.ts";
import { resilient } from "./resilience.ts";
import { s3Address } from "./s3_address.ts";
import type { S3Encryption } from "./s3_headers.ts";
import { S3Requests } from "./s3_request.ts";
import { S3Service } from "./s3_service.ts";

const under = "storage.trace.s3";
/** Size of a part where the configuration leaves it open. */
const partBytesDefault = 8 << 20;
/** Parts of one object on their way at a time. */
const partsMax = 2;

/** @throws StoreError naming the key if a file of the TLS settings can't be used; the rest was checked with the configuration */
export function openS3Store(config: S3Config): RemoteStore {
  const fetch = fetchWith(
    {
      caPath: config.tls_ca_path,
      certPath: config.tls_cert_path,
      keyPath: config.tls_key_path,
      serverName: config.tls_server_name,
      insecureSkipVerify: config.tls_insecure_skip_verify,
    },
    under,
  );
  const address = s3Address({
    bucket: config.bucket,
    endpoint: config.endpoint,
    region: config.region,
    insecure: config.insecure,
    forcePathStyle: config.forcepathstyle,
    bucketLookupType: config.bucket_lookup_type,
    dualStack: config.enable_dual_stack,
  });
  const credentials = new AwsCredentialsSource({
    configured: configuredCredentials(config),
    region: address.region,
    env: process.env,
    fetch: globalThis.fetch,
    now: Date.now,
  });
  const service = new S3Service(new S3Requests(address, credentials, fetch), {
    sse: encryptionOf(config.sse),
    storageClass: config.storage_class,
    tags: config.tags,
    metadata: config.metadata,
  });
  const steadfast = resilient(service, {
    retry: {
      attemptsMax: config.retry_max_attempts,
      backoffMsInitial: config.retry_backoff_initial,
      backoffMsMax: config.retry_backoff_max,
    },
    hedge: { afterMs: config.hedge_requests_at, requestsMax: config.hedge_requests_up_to },
  });
  return new RemoteStore(steadfast, {
    prefix: keyPrefix(config.prefix),
    listsMax: config.list_blocks_concurrency,
    partBytes: config.part_size || partBytesDefault,
    partsMax,
  });
}

function configuredCredentials({ access_key, secret_key, session_token }: S3Config) {
  if (access_key === "") return null;
  return { accessKeyId: access_key, secretAccessKey: secret_key, sessionToken: session_token };
}

function encryptionOf(sse: S3Config["sse"]): S3Encryption | null {
  switch (sse.type) {
    case "SSE-S3":
      return { type: "SSE-S3" };
    case "SSE-KMS":
      return { type: "SSE-KMS", keyId: sse.kms_key_id, context: sse.kms_encryption_context };
    case "SSE-C":
      return { type: "SSE-C", key: sse.encryption_key };
    default:
      return null;
  }
}
