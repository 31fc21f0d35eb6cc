/** Bytes of the summaries of one answer. As JSON it takes about three times as much. */
export const answerBytesMax = 64 << 20;

/** The query takes more memory than it may. */
export class QueryTooLarge extends Error {
  override readonly name = "QueryTooLarge";
  readonly code = "query_too_large";
}

export function answerTooLarge(): QueryTooLarge {
  return new QueryTooLarge(
    `the answer would take more than the ${answerBytesMax} bytes that it may: ask for fewer traces by limit, or fewer spans by spss`,
  );
}
