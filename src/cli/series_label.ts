// The labels of a series: how they are shown, and in which order.
import { type Attribute, attributeText, type Value, valueText } from "./attribute.ts";
import { printable } from "./printable.ts";

const nameLabel = "__name__";

/** `rate`, `{resource.service.name="cart", p=0.9}`. */
export function seriesText(labels: readonly Attribute[]): string {
  const name = labels.find(({ key }) => key === nameLabel)?.value;
  const rest = labels.filter(({ key }) => key !== nameLabel);
  const shownName = typeof name === "string" ? printable(name) : "";
  return shownName !== "" && rest.length === 0
    ? shownName
    : `${shownName}{${rest.map(attributeText).join(", ")}}`;
}

/** Fewer labels first as Tempo has it, then by their keys and values; numbers by their size, which Tempo doesn't. */
export function compareLabels(a: readonly Attribute[], b: readonly Attribute[]): number {
  if (a.length !== b.length) return a.length - b.length;
  for (const [i, { key, value }] of a.entries()) {
    const other = b[i]!;
    const order = compareTexts(key, other.key) || compareValues(value, other.value);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: Value, b: Value): number {
  if (isNumber(a) && isNumber(b)) return a < b ? -1 : a > b ? 1 : 0;
  return compareTexts(valueText(a), valueText(b));
}

function isNumber(value: Value): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
