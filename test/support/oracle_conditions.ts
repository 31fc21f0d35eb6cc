// How a query uses each attribute: in comparisons with literals and tests of existence, which say which of its values count, or in
// other ways, for which all do. It decides what a result shows, and which elements of an array a comparison sees.
import {
  type Attribute,
  type Comparison,
  type ComparisonOp,
  type FieldExpression,
  type Literal,
  printAttribute,
  type Query,
  type Stage,
} from "../../src/traceql/index.ts";
import { type Column, columnKey, columnsOf } from "./oracle_reading.ts";
import {
  arrayOf,
  compareScalars,
  elementsOf,
  isNegative,
  literalValue,
  nil,
  type Scalar,
  type Value,
} from "./oracle_values.ts";

/** Something that holds for a value or not. */
export type Condition =
  | { kind: "comparison"; attribute: Attribute; op: ComparisonOp; literals: Literal[] }
  | { kind: "existence"; attribute: Attribute; exists: boolean };

/** Null for an expression of another form. */
export function conditionOf(node: FieldExpression): Condition | null {
  switch (node.kind) {
    case "comparison":
      return comparisonOf(node);
    case "existence":
      return isAttribute(node.operand)
        ? { kind: "existence", attribute: node.operand, exists: node.exists }
        : null;
    case "membership": {
      const op = ({ IN: "=", "NOT IN": "!=", "MATCH ANY": "=~", "MATCH NONE": "!~" } as const)[node.op];
      return { kind: "comparison", attribute: node.attribute, op, literals: node.values };
    }
    default:
      return null;
  }
}

const mirrored: Partial<Record<ComparisonOp, ComparisonOp>> = { "<": ">", "<=": ">=", ">": "<", ">=": "<=" };

function comparisonOf({ op, left, right }: Comparison): Condition | null {
  if (isAttribute(left) && right.kind === "literal")
    return { kind: "comparison", attribute: left, op, literals: [right] };
  if (isAttribute(right) && left.kind === "literal")
    return { kind: "comparison", attribute: right, op: mirrored[op] ?? op, literals: [left] };
  return null;
}

export function isAttribute(node: FieldExpression): node is Attribute {
  return node.kind === "attribute" || node.kind === "intrinsic";
}

/** Whether one value satisfies a condition: of several literals any may hold, or all must for the negative operators. */
export function satisfies(value: Scalar, condition: Condition): boolean {
  if (condition.kind === "existence") return condition.exists;
  const { attribute, op, literals } = condition;
  const holds = (literal: Literal) =>
    // The type of a literal chooses among the types that an attribute is stored with.
    (attribute.kind === "intrinsic" || literal.type === value.type) &&
    compareScalars(op, value, literalValue(literal));
  return isNegative(op) ? literals.every(holds) : literals.some(holds);
}

/** How the query uses an attribute as it is written. */
interface Use {
  attribute: Attribute;
  conditions: Condition[];
  /** Used in another way than in a condition of a filter. */
  free: boolean;
  selected: boolean;
}

/** How the filters use what is stored in one place, which several spellings may come to. */
interface ColumnUse {
  conditions: Condition[];
  /** In another way than in conditions. */
  free: boolean;
  /** So by a group or an aggregate. */
  freeInStages: boolean;
}

export class Uses {
  readonly all = new Map<string, Use>();
  private readonly columns = new Map<string, ColumnUse>();

  constructor(query: Query) {
    for (const stage of query.stages) this.stage(stage);
  }

  /** What a comparison with a literal sees of a value: of an array, the elements that some condition of the query asks for. */
  visible(column: Column, value: Value): Value {
    const use = this.columns.get(columnKey(column))!;
    return value.type !== "array" || use.free ? value : satisfying(value, use.conditions);
  }

  /** Whether a stage that is no filter wants all of what is stored there, which it is open whether a filter then sees. */
  isWantedWhole(column: Column): boolean {
    return this.columns.get(columnKey(column))!.freeInStages;
  }

  private stage(stage: Stage): void {
    switch (stage.kind) {
      case "filter":
        this.expression(stage.expression, true);
        return;
      case "operation":
        for (const side of [stage.left, stage.right]) {
          for (const inner of side.kind === "pipeline" ? side.stages : [side]) this.stage(inner);
        }
        return;
      case "group":
        this.expression(stage.expression, false);
        return;
      case "scalarFilter":
        for (const side of [stage.left, stage.right]) {
          if (side.kind === "aggregate" && side.function !== "count") this.expression(side.operand, false);
        }
        return;
      case "select":
        for (const attribute of stage.attributes) {
          const use = this.useOf(attribute);
          use.free = use.selected = true;
        }
        return;
      case "coalesce":
        return;
    }
  }

  private expression(node: FieldExpression, inFilter: boolean): void {
    const condition = conditionOf(node);
    if (condition !== null) {
      this.useOf(condition.attribute).conditions.push(condition);
      for (const use of this.columnUses(condition.attribute)) use.conditions.push(condition);
    } else if (isAttribute(node)) {
      this.useOf(node).free = true;
      for (const use of this.columnUses(node)) {
        use.free ||= inFilter;
        use.freeInStages ||= !inFilter;
      }
    } else for (const operand of operandsOf(node)) this.expression(operand, inFilter);
  }

  private useOf(attribute: Attribute): Use {
    const key = printAttribute(attribute);
    const use = this.all.get(key) ?? { attribute, conditions: [], free: false, selected: false };
    this.all.set(key, use);
    return use;
  }

  private columnUses(attribute: Attribute): ColumnUse[] {
    return columnsOf(attribute).map((column) => {
      const use = this.columns.get(columnKey(column)) ?? { conditions: [], free: false, freeInStages: false };
      this.columns.set(columnKey(column), use);
      return use;
    });
  }
}

/** What of a value satisfies one of the conditions. */
export function satisfying(value: Value, conditions: Condition[]): Value {
  if (value.type === "nil") return nil;
  return arrayOf(elementsOf(value).filter((element) => conditions.some((one) => satisfies(element, one))));
}

function operandsOf(node: FieldExpression): FieldExpression[] {
  switch (node.kind) {
    case "unary":
    case "existence":
      return [node.operand];
    case "comparison":
    case "arithmetic":
      return [node.left, node.right];
    case "logical":
      return node.operands;
    case "membership":
      return [node.attribute];
    default:
      return [];
  }
}
