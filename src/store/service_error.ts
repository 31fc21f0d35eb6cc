// What an object store of the network, or the way to it, has to say against a request.
import { StoreError } from "./store_error.ts";

export interface ServiceErrorFacts extends ErrorOptions {
  /** The service's own word, such as SlowDown, or the runtime's, such as ECONNRESET; "" if there is none. */
  reason?: string;
  /** Whether the same request may go well later. */
  mayRetry: boolean;
  /** Whether the service may have done what it was asked all the same, or may be about to. */
  mayBeDone: boolean;
}

export class ServiceError extends StoreError {
  readonly reason: string;
  readonly mayRetry: boolean;
  readonly mayBeDone: boolean;

  constructor(message: string, { reason = "", mayRetry, mayBeDone, ...options }: ServiceErrorFacts) {
    super(`store: ${message}`, options);
    this.reason = reason;
    this.mayRetry = mayRetry;
    this.mayBeDone = mayBeDone;
  }
}

/** Whether it is the service's own word against a request. */
export function isReason(error: unknown, reason: string): error is ServiceError {
  return error instanceof ServiceError && error.reason === reason;
}

/** There is no such upload: it was completed or given up. */
export const noSuchUpload = "NoSuchUpload";
