/** The query takes more memory than it may. */
export class QueryTooLarge extends Error {
  override readonly name = "QueryTooLarge";
  readonly code = "query_too_large";
}
