// What the values of a metrics query count, and how they are shown.
import { type Attribute, intrinsicTypes, parse, TraceQLError } from "../traceql/index.ts";
import { shortDuration } from "./short_duration.ts";

export type Unit = "count" | "rate" | "seconds" | "number";

export interface Units {
  /** Of the samples. */
  value: Unit;
  /** Of the attribute that the function is of, and so of a histogram's buckets. */
  attribute: Unit;
}

const nanosPerSecond = 1e9;
/** Seconds, about 31,000 years. */
const durationMax = 1e12;

/** Of a text that is no query here, but was one to the server, they are numbers. */
export function unitsOf(query: string): Units {
  const metrics = stageOf(query);
  if (metrics === null) return { value: "number", attribute: "number" };
  const call = metrics.function;
  switch (call.kind) {
    case "countOverTime":
      return { value: call.function === "rate" ? "rate" : "count", attribute: "number" };
    case "compare":
      return { value: "count", attribute: "number" };
    case "quantileOverTime":
    case "fieldOverTime": {
      const attribute = isDuration(call.attribute) ? "seconds" : "number";
      const counts = call.kind === "fieldOverTime" && call.function === "histogram_over_time";
      return { value: counts ? "count" : attribute, attribute };
    }
  }
}

function stageOf(query: string) {
  try {
    return parse(query).metrics;
  } catch (error) {
    if (!(error instanceof TraceQLError)) throw error;
    return null;
  }
}

function isDuration(attribute: Attribute): boolean {
  return attribute.kind === "intrinsic" && intrinsicTypes[attribute.name] === "duration";
}

/** `1.24s`, `12.5/s`, `1234`, `56.7k`: three digits that count, of numbers below 10,000 all before the point. */
export function quantityText(value: number, unit: Unit): string {
  if (unit === "rate") return `${numberText(value)}/s`;
  if (unit !== "seconds") return numberText(value);
  if (!(Math.abs(value) < durationMax)) return `${numberText(value)}s`;
  return shortDuration(BigInt(Math.round(value * nanosPerSecond)));
}

const suffixes = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
] as const;
const plainMax = 10_000;
const suffixedMax = 1e15;

function numberText(value: number): string {
  const size = Math.abs(value);
  const rounded = size >= 100 && size < plainMax ? Math.round(value) : Number(value.toPrecision(3));
  if (!(Math.abs(rounded) >= plainMax && Math.abs(rounded) < suffixedMax)) return String(rounded);
  const [scale, suffix] = suffixes.find(([least]) => Math.abs(rounded) >= least)!;
  return `${rounded / scale}${suffix}`;
}
