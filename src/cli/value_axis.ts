// The scale of a chart's values, from round number to round number. Zero is always on it: a height says how much.
import { quantityText, type Unit } from "./quantity.ts";
import { roundNumber, roundTime } from "./round_step.ts";

export interface ValueAxis {
  low: number;
  high: number;
  /** At equal distances, low and high among them; the lowest first. */
  ticks: string[];
}

const stepsMax = 5;
/** Where arithmetic has made a little more of a whole number. */
const tolerance = 1e-9;

export function valueAxis({ min, max }: { min: number; max: number }, unit: Unit): ValueAxis {
  const lowest = Math.min(0, min);
  const highest = Math.max(0, max);
  const length = highest - lowest || 1;
  const step = stepOf(length / stepsMax, unit);
  const first = Math.floor(lowest / step + tolerance);
  const last = Math.max(first + 1, Math.ceil(highest / step - tolerance), 0);
  const ticks: string[] = [];
  for (let at = first; at <= last; at++) ticks.push(quantityText(at * step, unit));
  return { low: first * step, high: last * step, ticks };
}

function stepOf(least: number, unit: Unit): number {
  if (unit === "count") return Math.max(1, roundNumber(least));
  return unit === "seconds" && least >= 1 ? roundTime(least * 1000) / 1000 : roundNumber(least);
}

/** Where a value is on the scale: 0 at the low end, 1 at the high one. */
export function placeOf(value: number, { low, high }: ValueAxis): number {
  return Math.min(Math.max((value - low) / (high - low), 0), 1);
}
