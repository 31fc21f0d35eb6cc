// The one error of this folder.

/** Bytes that are not what their codec or their declared length says. The message begins with the codec. */
export class CompressError extends Error {
  override name = "CompressError";
  readonly code = "data_loss";
}
