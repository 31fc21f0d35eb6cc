// Several requests at a time, of many.

/**
 * Does something with each item, with so many at a time. After a failure no other is begun, and those under way are awaited.
 *
 * @throws the first failure
 */
export async function sideBySide<T>(
  items: Iterable<T>,
  atOnceMax: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let failure: { error: unknown } | null = null;
  const left = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = left.next(); !failure && !next.done; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnceMax) }, lane));
  if (failure) throw (failure as { error: unknown }).error;
}
