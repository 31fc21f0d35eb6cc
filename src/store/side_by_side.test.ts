import { expect, test } from "bun:test";
import { sideBySide } from "./side_by_side.ts";

/** Work that ends when it is told to. */
function heldBack() {
  const under = new Map<number, PromiseWithResolvers<void>>();
  const begun: number[] = [];
  let mostAtOnce = 0;
  const work = (item: number) => {
    begun.push(item);
    const one = Promise.withResolvers<void>();
    under.set(item, one);
    mostAtOnce = Math.max(mostAtOnce, under.size);
    return one.promise.finally(() => under.delete(item));
  };
  return { work, under, begun, mostAtOnce: () => mostAtOnce };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("sideBySide() does all, so many at a time", async () => {
  const { work, under, begun, mostAtOnce } = heldBack();
  const done = sideBySide(
    Array.from({ length: 10 }, (_, i) => i),
    3,
    work,
  );
  while (begun.length < 10 || under.size > 0) {
    for (const one of under.values()) one.resolve();
    await settled();
  }
  await done;
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(mostAtOnce()).toBe(3);
});

test("sideBySide() begins nothing after a failure, and ends when what is under way has ended", async () => {
  const { work, under, begun } = heldBack();
  let failure: Error | null = null;
  const done = sideBySide([0, 1, 2, 3, 4], 2, work).catch((error) => {
    failure = error;
  });
  under.get(0)!.reject(new Error("broken"));
  await settled();
  expect([begun, failure]).toEqual([[0, 1], null]);
  under.get(1)!.resolve();
  await done;
  expect(begun).toEqual([0, 1]);
  expect(String(failure)).toBe("Error: broken");
});

test("sideBySide() has nothing to do with nothing", async () => {
  await sideBySide([], 3, () => Promise.reject(new Error("asked")));
});
