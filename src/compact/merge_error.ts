// Why blocks could not be merged, and which one is to blame.
import type { BlockMeta } from "../block/meta.ts";
import { ParquetError } from "../block/parquet_error.ts";
import { StoreError } from "../store/store.ts";

/** Blocks that cannot be merged. */
export class MergeError extends Error {
  override name = "MergeError";
  /** The input that is to blame, if it is one alone. */
  readonly blockId: string | null;

  constructor(message: string, blockId: string | null = null, options?: ErrorOptions) {
    super(message, options);
    this.blockId = blockId;
  }
}

/** Says which block an error is about. */
export async function blaming<Result>(
  { tenantID, blockID }: BlockMeta,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ParquetError) && !(error instanceof StoreError)) throw error;
    throw new MergeError(`block ${tenantID}/${blockID}: ${error.message}`, blockID, { cause: error });
  }
}
