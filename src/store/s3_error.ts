// What S3 says against a request.

import { ServiceError } from "./service_error.ts";
import { elementText } from "./service_xml.ts";

/** Refused before anything was done, and worth another try. */
const refusedForNow: ReadonlySet<string> = new Set([
  "SlowDown",
  "ServiceUnavailable",
  "TooManyRequests",
  "RequestLimitExceeded",
  "ConditionalRequestConflict",
  "OperationAborted",
  "ExpiredToken",
  "TokenRefreshRequired",
]);
/** What tells that credentials are no longer good, though they were. */
const expired: ReadonlySet<string> = new Set(["ExpiredToken", "TokenRefreshRequired", "InvalidToken"]);
const bodyShownMax = 200;

export interface S3Answer {
  status: number;
  /** Of the error; what stands in it if it is S3's XML. */
  body: string;
  /** The region that the bucket is in, if the service says so. */
  bucketRegion: string | null;
}

/** @param what the request, for people */
export function s3Error(what: string, { status, body, bucketRegion }: S3Answer): ServiceError {
  const reason = elementText(body, "Code");
  const message = elementText(body, "Message") || body.slice(0, bodyShownMax).trim();
  const region = bucketRegion ? `; the bucket is in region ${bucketRegion} (storage.trace.s3.region)` : "";
  // A 503 without a word of S3's may be a proxy's, whose service has got the request.
  const isRefused = status === 429 || refusedForNow.has(reason);
  const mayPass = status === 408 || (status >= 500 && status !== 501) || reason === "RequestTimeout";
  return new ServiceError(
    `cannot ${what}: status ${status}${reason && `, ${reason}`}${message && `: ${message}`}${region}`,
    { reason, mayRetry: isRefused || mayPass, mayBeDone: !isRefused && status >= 400 && mayPass },
  );
}

export function isExpired(error: ServiceError): boolean {
  return expired.has(error.reason);
}
