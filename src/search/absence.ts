// Filters that say nothing but that an attribute is absent.
import type { AttributeField, SpansetFilter } from "../traceql/index.ts";

/** The attribute, if the filter is just `{ scope.x = nil }`. */
export function absentIn({ expression }: SpansetFilter): AttributeField | null {
  if (expression.kind !== "existence" || expression.exists) return null;
  return expression.operand.kind === "attribute" ? expression.operand : null;
}
