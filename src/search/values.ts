// Values outside of the vectors: those of results, of elements of arrays, and literals on their way into the core.
import { QueryType } from "../../wasm/query_ids.ts";
import type { ComparisonOp, KindName, Literal, StatusName } from "../traceql/index.ts";
import type { LoadCondition } from "./loads.ts";
import { matchOf } from "./match_cache.ts";
import { holds } from "./operators.ts";

/** OTLP's codes. */
export const statusCodes: Record<StatusName, number> = { unset: 0, ok: 1, error: 2 };
export const kindCodes: Record<KindName, number> = {
  unspecified: 0,
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
export const statusNames: readonly StatusName[] = ["unset", "ok", "error"];
export const kindNames: readonly KindName[] = [
  "unspecified",
  "internal",
  "server",
  "client",
  "producer",
  "consumer",
];

/** A value as a pair of words. */
export interface Words {
  type: QueryType;
  low: number;
  high: number;
}

const scratch = new DataView(new ArrayBuffer(8));

export function wordsOfInt(type: QueryType, value: bigint): Words {
  scratch.setBigInt64(0, value, true);
  return { type, low: scratch.getInt32(0, true), high: scratch.getInt32(4, true) };
}

/** Of a literal that is no string. */
export function wordsOf(literal: Exclude<Literal, { type: "string" }>): Words {
  switch (literal.type) {
    case "int":
      return wordsOfInt(QueryType.Int, literal.value);
    case "duration":
      return wordsOfInt(QueryType.Duration, literal.value);
    case "float":
      scratch.setFloat64(0, literal.value, true);
      return { type: QueryType.Double, low: scratch.getInt32(0, true), high: scratch.getInt32(4, true) };
    case "bool":
      return { type: QueryType.Bool, low: literal.value ? 1 : 0, high: 0 };
    case "status":
      return { type: QueryType.Status, low: statusCodes[literal.value], high: 0 };
    case "kind":
      return { type: QueryType.Kind, low: kindCodes[literal.value], high: 0 };
  }
}

/** An element of an array; strings as bytes. */
export type Element = bigint | number | boolean | Uint8Array;

export type ElementTest = (element: Element) => boolean;

/** Tells whether an element compares with a literal like this: only with one of its own type. */
export function elementTest(op: ComparisonOp, literal: Literal): ElementTest {
  switch (literal.type) {
    case "string": {
      const match = matchOf(op, literal.value);
      return (element) => element instanceof Uint8Array && match.test(element);
    }
    case "bool": {
      if (op !== "=" && op !== "!=") return () => false;
      return (element) => typeof element === "boolean" && (element === literal.value) === (op === "=");
    }
    case "int":
      return (element) => typeof element === "bigint" && holds(op, element, literal.value);
    case "float":
      return (element) => typeof element === "number" && holds(op, element, literal.value);
    default:
      return () => false;
  }
}

/** Tells whether an element fits any of some conditions; null: all do. */
export function anyTest(conditions: readonly LoadCondition[] | null): ElementTest {
  if (conditions === null) return () => true;
  const tests = conditions.map(({ op, value }) => elementTest(op, value));
  return (element) => tests.some((test) => test(element));
}
