// How long a query may be, whatever it asks for.
import { InvalidRequest } from "./query_errors.ts";

/**
 * @param bytesMax 0: no limit
 * @throws InvalidRequest
 */
export function checkQuerySize(bytes: number, bytesMax: number): void {
  if (bytesMax === 0 || bytes <= bytesMax) return;
  throw new InvalidRequest(
    `TraceQL expression exceeds the configured maximum size of ${bytesMax} bytes, reduce the query expression size or contact your system administrator`,
  );
}
