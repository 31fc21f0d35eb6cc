// What both kinds of client connection have in common: requests go in whole, one outcome comes back for each.
import type { Request } from "./request.ts";

export type Outcome =
  | { kind: "acknowledged" }
  | { kind: "refused"; retryMs: number; message: string } // the server asks to come again: RESOURCE_EXHAUSTED, UNAVAILABLE, 429, 503
  | { kind: "failed"; message: string } // it will never take this request
  | { kind: "lost"; message: string }; // the connection broke before an answer: the spans may or may not be stored

export interface Connection {
  /** How many more requests may be sent now. */
  readonly free: number;
  send(request: Request): void;
  close(): void;
}

export interface ConnectionOptions {
  host: string;
  port: number;
  tenant: string | null;
  inFlight: number;
  onOutcome(connection: Connection, request: Request, outcome: Outcome): void;
  onReady(connection: Connection): void;
  onClosed(connection: Connection, message: string): void;
}

/** Used where a server refuses without saying for how long. */
export const retryMsDefault = 100;
