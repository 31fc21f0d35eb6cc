// Values of attributes as texts: as a query would spell them, where it can.
import { printLiteral } from "../traceql/index.ts";

const position = { offset: 0, line: 1, column: 1 };

export function floatText(value: number): string {
  if (Number.isFinite(value)) return printLiteral({ kind: "literal", type: "float", value, position });
  if (Number.isNaN(value)) return "NaN";
  return value > 0 ? "+Inf" : "-Inf";
}
