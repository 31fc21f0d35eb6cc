// What Azure Storage says against a request.
import { ServiceError } from "./service_error.ts";
import { elementText } from "./service_xml.ts";

/** Refused before anything was done, and worth another try. */
const refusedForNow: ReadonlySet<string> = new Set(["ServerBusy", "TooManyRequests"]);
const textShownMax = 200;

export interface AzureAnswer {
  status: number;
  /** Of `x-ms-error-code`, which answers without a body have too; "" if there is none. */
  code: string;
  /** Of the error; what stands in it if it is Azure's XML. */
  body: string;
}

/** @param what the request, for people */
export function azureError(what: string, { status, code, body }: AzureAnswer): ServiceError {
  const reason = code || elementText(body, "Code");
  // Behind the first line are the request's id and the time.
  const [message = ""] = (elementText(body, "Message") || body).trim().split(/\r?\n/);
  const text = message.slice(0, textShownMax) + detailOf(body);
  // A token that is no longer taken: the next try has another. A 503 without Azure's word may be a proxy's, whose service has got the request.
  const isRefused = status === 401 || status === 429 || refusedForNow.has(reason);
  const mayPass = status === 408 || (status >= 500 && status !== 501);
  return new ServiceError(
    `cannot ${what}: status ${status}${reason && `, ${reason}`}${text && `: ${text}`}`,
    {
      reason,
      mayRetry: isRefused || mayPass,
      mayBeDone: !isRefused && mayPass,
    },
  );
}

/** Why a request was not let in: a clock that is wrong, for one. Of a wrong signature it says no more than how it was made. */
function detailOf(body: string): string {
  const detail = elementText(body, "AuthenticationErrorDetail").trim();
  return detail === "" || /signature/i.test(detail) ? "" : ` ${detail.slice(0, textShownMax)}`;
}
