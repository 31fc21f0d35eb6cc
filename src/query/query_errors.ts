// Why a query has no answer, whatever was asked and by whichever protocol.

/** The client's mistake. The message is its answer. */
export class InvalidRequest extends Error {
  override readonly name = "InvalidRequest";
}

/** The query took longer than it may. */
export class QueryTimeout extends Error {
  override readonly name = "QueryTimeout";

  constructor() {
    super("context deadline exceeded");
  }
}

/** The client went away. */
export class QueryCanceled extends Error {
  override readonly name = "QueryCanceled";

  constructor() {
    super("context canceled");
  }
}
