// Headers of requests to S3 that the configuration asks for: encryption, storage class, tags, metadata.
import { createHash } from "node:crypto";

export interface S3ObjectSettings {
  sse: S3Encryption | null;
  storageClass: string;
  tags: Readonly<Record<string, string>>;
  metadata: Readonly<Record<string, string>>;
}

export type S3Encryption =
  | { type: "SSE-S3" }
  | { type: "SSE-KMS"; keyId: string /** JSON, or "". */; context: string }
  | { type: "SSE-C" /** 32 bytes. */; key: string };

/** Headers of what makes an object. */
export function objectHeaders(settings: S3ObjectSettings): Record<string, string> {
  const headers: Record<string, string> = { ...encryptionHeaders(settings.sse), ...keyHeaders(settings.sse) };
  if (settings.storageClass !== "") headers["x-amz-storage-class"] = settings.storageClass;
  const tags = new URLSearchParams(settings.tags).toString().replaceAll("+", "%20");
  if (tags !== "") headers["x-amz-tagging"] = tags;
  for (const [name, value] of Object.entries(settings.metadata)) headers[`x-amz-meta-${name}`] = value;
  return headers;
}

function encryptionHeaders(sse: S3Encryption | null): Record<string, string> {
  if (sse?.type === "SSE-S3") return { "x-amz-server-side-encryption": "AES256" };
  if (sse?.type !== "SSE-KMS") return {};
  const headers: Record<string, string> = { "x-amz-server-side-encryption": "aws:kms" };
  if (sse.keyId !== "") headers["x-amz-server-side-encryption-aws-kms-key-id"] = sse.keyId;
  if (sse.context !== "") {
    headers["x-amz-server-side-encryption-context"] = Buffer.from(sse.context).toString("base64");
  }
  return headers;
}

/** Headers of whatever reads or writes an object's bytes: with a key of the client's own, the service keeps none. */
export function keyHeaders(sse: S3Encryption | null): Record<string, string> {
  if (sse?.type !== "SSE-C") return {};
  const key = Buffer.from(sse.key);
  return {
    "x-amz-server-side-encryption-customer-algorithm": "AES256",
    "x-amz-server-side-encryption-customer-key": key.toString("base64"),
    "x-amz-server-side-encryption-customer-key-md5": createHash("md5").update(key).digest("base64"),
  };
}
