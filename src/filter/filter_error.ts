/** Bytes that are no filter. */
export class FilterError extends Error {
  override readonly name = "FilterError";
}
