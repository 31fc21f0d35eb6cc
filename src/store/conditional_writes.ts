// Whether an object service minds the conditions of writes. Not all that speak S3 do, and those that don't write all the same and say so:
// of two that want a lease both would have it. So it is tried before anything is written on condition.
import { randomBytes } from "node:crypto";
import type { ObjectService, WriteCondition } from "./object_service.ts";
import { StoreError } from "./store_error.ts";

/** Tried on this object, which stays. */
const probeName = "rubato_conditional_writes";
/** A tag that no object has. */
const strangeTag = `"${"0".repeat(32)}"`;

/**
 * @param prefix before the name of the object
 * @throws StoreError if conditions are passed over, or the service does not answer
 */
export async function checkConditionalWrites(
  service: ObjectService,
  prefix: string,
  signal: AbortSignal,
): Promise<void> {
  const key = prefix + probeName;
  // Never the same bytes: of equal ones it could not be told which write they are from.
  const write = (condition: WriteCondition) => service.put(key, randomBytes(16), condition, signal);
  await write("absent");
  for (const condition of ["absent", { tag: strangeTag }] as const) {
    if ((await write(condition)) === null) continue;
    const header = condition === "absent" ? "If-None-Match" : "If-Match";
    throw new StoreError(
      `store: the service writes whatever ${header} says, so that processes can't share this bucket safely; compaction needs that`,
    );
  }
}
