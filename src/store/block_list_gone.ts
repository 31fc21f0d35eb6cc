// What becomes of a query when a block is deleted under it: the list is read again, and the query asked again of the blocks that are
// there now, among them those that took the place of the deleted one.
import { StoreError } from "./store_error.ts";

/** Times that a query is asked in all. Only where blocks vanish faster than they are read is the last one reached. */
const attemptsMax = 4;
const goneCode = "block_gone";

/** A block was deleted since it was listed. Known by its code where it comes from another thread. */
export class BlockGone extends StoreError {
  override name = "BlockGone";
  override readonly code = goneCode;

  constructor({ tenantID, blockID }: { tenantID: string; blockID: string }, options?: ErrorOptions) {
    super(`block ${tenantID}/${blockID} was deleted while it was read`, options);
  }
}

export function isBlockGone(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === goneCode;
}

/**
 * Asks, and asks again while blocks vanish.
 *
 * @param reread reads the list of a tenant's blocks
 */
export async function pastGoneBlocks<Answer>(
  tenants: readonly string[],
  reread: (tenant: string) => Promise<void>,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!isBlockGone(error) || attempt === attemptsMax) throw error;
      await Promise.all(tenants.map(reread));
    }
  }
}

/** The same for a query that tells how far it is: what it told before stands, and it begins again. */
export async function* streamPastGoneBlocks<Answer>(
  tenants: readonly string[],
  reread: (tenant: string) => Promise<void>,
  ask: () => AsyncGenerator<Answer, void, void>,
): AsyncGenerator<Answer, void, void> {
  for (let attempt = 1; ; attempt++) {
    try {
      yield* ask();
      return;
    } catch (error) {
      if (!isBlockGone(error) || attempt === attemptsMax) throw error;
      await Promise.all(tenants.map(reread));
    }
  }
}
