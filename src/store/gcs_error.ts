// What Google Cloud Storage says against a request.
import { ServiceError } from "./service_error.ts";

/** Refused before anything was done, and worth another try. A 429 also comes of more than one write of an object in a second. */
const refusedForNow: ReadonlySet<string> = new Set(["rateLimitExceeded", "userRateLimitExceeded"]);
const conditionNotMet = "conditionNotMet";
const bodyShownMax = 200;

export interface GcsAnswer {
  status: number;
  /** Of the error; what stands in it if it is the JSON API's. */
  body: string;
  /** Whether there are other credentials to be had than those that were sent. */
  canRenew: boolean;
}

/** @param what the request, for people */
export function gcsError(what: string, { status, body, canRenew }: GcsAnswer): ServiceError {
  const { reason: said, message } = errorOf(body);
  const reason = status === 412 && said === "" ? conditionNotMet : said;
  // A token may have ended on its way.
  const isRefused = status === 429 || refusedForNow.has(reason) || (status === 401 && canRenew);
  // A 503 without a word of Google's may be a proxy's, whose service has got the request.
  const mayPass = status === 408 || (status >= 500 && status !== 501);
  return new ServiceError(
    `cannot ${what}: status ${status}${reason && `, ${reason}`}${message && `: ${message}`}`,
    { reason, mayRetry: isRefused || mayPass, mayBeDone: !isRefused && mayPass },
  );
}

interface ErrorBody {
  error?: { message?: unknown; errors?: { reason?: unknown }[] };
}

/** Whether what refused a write was its own condition, and not one of the bucket's or the organisation's. */
export function isConditionNotMet(error: unknown): boolean {
  return error instanceof ServiceError && error.reason === conditionNotMet;
}

function errorOf(body: string): { reason: string; message: string } {
  const shown = body.slice(0, bodyShownMax).trim();
  try {
    const { error } = JSON.parse(body) as ErrorBody;
    return { reason: String(error?.errors?.[0]?.reason ?? ""), message: String(error?.message ?? shown) };
  } catch {
    // Answers in the place of an object's bytes are plain text.
    return { reason: "", message: shown };
  }
}
