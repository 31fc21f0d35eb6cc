// What a client is told about a query that failed: a status of HTTP or a code of gRPC, and a text, as Tempo pairs them.
import { InvalidRequest, QueryCanceled, QueryTimeout } from "../query/query_errors.ts";
import { TraceTooLarge } from "../query/trace_combine.ts";
import { TenantError } from "./tenant.ts";

export interface Refusal {
  status: number;
  message: string;
}

export function refusalOf(cause: unknown): Refusal {
  const error = cause instanceof Error ? cause : new Error(String(cause));
  const { message } = error;
  if (error instanceof TenantError) return { status: error.status, message };
  if (error instanceof InvalidRequest) return { status: 400, message };
  if (error instanceof TraceTooLarge) return { status: 422, message };
  if (error instanceof QueryCanceled) return { status: 499, message };
  if (error instanceof QueryTimeout) return { status: 504, message };
  // What comes from a worker has only its code.
  const code = "code" in error ? error.code : undefined;
  if (code === "resource_exhausted") return { status: 429, message: "job queue full" };
  if (code === "query_too_large") return { status: 422, message };
  if (code === "invalid_argument") return { status: 400, message };
  if (code === "deadline_exceeded") return { status: 504, message: new QueryTimeout().message };
  return { status: 500, message };
}
