// What the comparison operators are: in the core, and between two values here.
import { Compare } from "../../wasm/query_ids.ts";
import type { ComparisonOp } from "../traceql/index.ts";

/** All but those with a pattern. */
export const compares: Record<Exclude<ComparisonOp, "=~" | "!~">, Compare> = {
  "=": Compare.Equal,
  "!=": Compare.NotEqual,
  "<": Compare.Less,
  "<=": Compare.LessEqual,
  ">": Compare.Greater,
  ">=": Compare.GreaterEqual,
};

export function holds<T extends bigint | number>(op: ComparisonOp, a: T, b: T): boolean {
  switch (op) {
    case "=":
      return a === b;
    case "!=":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
    default:
      return false;
  }
}
