// The one error of the Parquet reader.

/** A file that is no Parquet file, is damaged, or uses what we do not read. The message begins with its subject. */
export class ParquetError extends Error {
  override name = "ParquetError";
  readonly code = "data_loss";
}
