import { describe, expect, jest, test } from "bun:test";
import type { BlockMeta } from "../block/meta.ts";
import { type CutSteps, Cutter } from "./cutter.ts";
import type { Head } from "./head.ts";
import { metaOf } from "./shard_fixture.ts";

const head = (name: string) => ({ tenant: name, blockId: name }) as unknown as Head;

/** Steps that note their order. What is in `faults` is thrown by the next writes. */
function noting(overrides: Partial<CutSteps> = {}) {
  const steps: string[] = [];
  const faults: Error[] = [];
  const cutter = new Cutter({
    freeze: ({ tenant }) => void steps.push(`freeze ${tenant}`),
    write: async ({ tenant }): Promise<BlockMeta | null> => {
      steps.push(`write ${tenant}`);
      const fault = faults.shift();
      if (fault) throw fault;
      return tenant === "empty" ? null : metaOf(tenant, tenant, 1);
    },
    list: async ({ blockID }) => void steps.push(`list ${blockID}`),
    discard: async ({ tenant }) => void steps.push(`discard ${tenant}`),
    done: ({ tenant }, reason) => void steps.push(`done ${tenant} ${reason}`),
    failed: () => false,
    ...overrides,
  });
  return { cutter, steps, faults };
}

/** Lets everything settle that does not wait for a timer. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("Cutter", () => {
  test("takes one head after the other through all steps, in order", async () => {
    const { cutter, steps } = noting();
    const metas = await Promise.all([cutter.cut(head("a"), "age"), cutter.cut(head("b"), "bytes")]);
    expect(metas.map((meta) => meta?.blockID)).toEqual(["a", "b"]);
    expect(steps).toEqual([
      ...["freeze a", "write a", "list a", "discard a", "done a age"],
      ...["freeze b", "write b", "list b", "discard b", "done b bytes"],
    ]);
    expect(cutter.waiting).toBe(0);
  });

  test("cuts a head once, however often it is asked to", async () => {
    const { cutter, steps } = noting();
    const a = head("a");
    const asked = [cutter.cut(a, "age"), cutter.cut(a, "flush")];
    expect(cutter.has(a)).toBe(true);
    await Promise.all([...asked, cutter.untilCut(a, "flush")]);
    expect(steps.filter((step) => step.startsWith("write"))).toEqual(["write a"]);
    expect(steps.at(-1)).toBe("done a age");
  });

  test("lists nothing where there was nothing to write", async () => {
    const { cutter, steps } = noting();
    expect(await cutter.cut(head("empty"), "age")).toBeNull();
    expect(steps).toEqual(["freeze empty", "write empty", "discard empty", "done empty age"]);
  });

  test("takes a cut that is asked for while the last one ends", async () => {
    const { cutter, steps } = noting();
    await cutter.cut(head("a"), "age").then(() => cutter.cut(head("b"), "age"));
    await cutter.cut(head("c"), "age");
    expect(steps.filter((step) => step.startsWith("done"))).toEqual([
      "done a age",
      "done b age",
      "done c age",
    ]);
  });

  test("tries a failed cut again after a second, then two, and lets the others go first", async () => {
    jest.useFakeTimers();
    try {
      const { cutter, steps, faults } = noting();
      faults.push(new Error("first"), new Error("second"));
      const a = cutter.cut(head("a"), "age");
      const b = cutter.cut(head("b"), "age");
      expect(await a.catch((error) => error.message)).toBe("first");
      expect(cutter.failing).toBe(true);
      for (const [ms, writes] of [
        [999, ["write a"]],
        [1, ["write a", "write b"]],
        [1999, ["write a", "write b"]],
        [1, ["write a", "write b", "write a", "write b"]],
      ] as const) {
        jest.advanceTimersByTime(ms);
        await settle();
        expect(steps.filter((step) => step.startsWith("write"))).toEqual([...writes]);
      }
      expect(await b.catch((error) => error.message)).toBe("second");
      expect(cutter.waiting).toBe(0);
      expect(cutter.failing).toBe(false);
    } finally {
      jest.useRealTimers();
    }
  });

  test("tries again at once when it is told to", async () => {
    const { cutter, steps, faults } = noting();
    faults.push(new Error("first"));
    const a = head("a");
    const until = cutter.untilCut(a, "age");
    expect(await cutter.cut(a, "age").catch((error) => error.message)).toBe("first");
    cutter.retryNow();
    await until;
    expect(steps.filter((step) => step.startsWith("write"))).toEqual(["write a", "write a"]);
    expect(cutter.failing).toBe(false);
  });

  test("gives up a head when failed() says so", async () => {
    const failures: number[] = [];
    const { cutter, steps, faults } = noting({
      failed: (_, __, count) => failures.push(count) === 2,
    });
    faults.push(new Error("first"), new Error("second"));
    const a = head("a");
    await cutter.cut(a, "age").catch(() => {});
    const second = cutter.cut(a, "age");
    cutter.retryNow();
    expect(await second.catch((error) => error.message)).toBe("second");
    expect(failures).toEqual([1, 2]);
    expect(steps.at(-1)).toBe("discard a");
    expect(cutter.has(a)).toBe(false);
  });
});
