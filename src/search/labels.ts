// What series and exemplars are labelled with, and how values of attributes become that.
import { printDuration } from "../traceql/index.ts";
import { kindNames, statusNames } from "./values.ts";

export type LabelValue =
  | { type: "string"; value: string }
  | { type: "int"; value: bigint }
  | { type: "double"; value: number }
  | { type: "bool"; value: boolean };

export interface Label {
  key: string;
  value: LabelValue;
}

/** The value of an attribute of spans. Ids are strings. */
export type GroupValue =
  | LabelValue
  /** OTLP's codes. */
  | { type: "status" | "kind"; value: number }
  /** Nanoseconds. */
  | { type: "duration"; value: bigint };

export function labelValue(value: GroupValue): LabelValue {
  switch (value.type) {
    case "status":
      return { type: "string", value: statusNames[value.value] ?? `status(${value.value})` };
    case "kind":
      return { type: "string", value: kindNames[value.value] ?? `kind(${value.value})` };
    case "duration":
      return { type: "string", value: printDuration(value.value) };
    default:
      return value;
  }
}
