// What a filter asks of single events and links: conditions that are joined by && have to hold of the same one.
import { Table } from "../../wasm/query_ids.ts";
import type { Attribute, FieldExpression, SpansetExpression, Stage } from "../traceql/index.ts";
import { isAttribute } from "./necessary.ts";

const eventIntrinsics: ReadonlySet<string> = new Set(["event:name", "event:timeSinceStart"]);
const linkIntrinsics: ReadonlySet<string> = new Set(["link:traceID", "link:spanID"]);

/** The table whose rows have the attribute: events, links, or spans for all others. */
export function tableOf(attribute: Attribute): Table {
  if (attribute.kind === "attribute") {
    return attribute.scope === "event" ? Table.Event : attribute.scope === "link" ? Table.Link : Table.Span;
  }
  if (eventIntrinsics.has(attribute.name)) return Table.Event;
  return linkIntrinsics.has(attribute.name) ? Table.Link : Table.Span;
}

/** The table of an expression that is about single events, or single links, alone; null for any other. */
export function childTableOf(node: FieldExpression): ChildTable | null {
  switch (node.kind) {
    case "comparison": {
      const attribute = isAttribute(node.left) ? node.left : node.right;
      const literal = isAttribute(node.left) ? node.right : node.left;
      return isAttribute(attribute) && literal.kind === "literal" ? childOf(attribute) : null;
    }
    case "membership":
      return childOf(node.attribute);
    case "existence":
      return node.exists && isAttribute(node.operand) ? childOf(node.operand) : null;
    case "logical": {
      const first = childTableOf(node.operands[0]!);
      return node.operands.every((operand) => childTableOf(operand) === first) ? first : null;
    }
    default:
      return null;
  }
}

type ChildTable = Table.Event | Table.Link;

function childOf(attribute: Attribute): ChildTable | null {
  const table = tableOf(attribute);
  return table === Table.Span ? null : table;
}

/** The parts of the stages' filters that are about single events or links, as large as they get. */
export function subjectsOf(stages: readonly Stage[]): FieldExpression[] {
  return stages.flatMap((stage) =>
    stage.kind === "filter" || stage.kind === "operation" ? ofSpanset(stage) : [],
  );
}

function ofSpanset(node: SpansetExpression): FieldExpression[] {
  if (node.kind === "pipeline") return subjectsOf(node.stages);
  if (node.kind === "operation") return [...ofSpanset(node.left), ...ofSpanset(node.right)];
  return ofField(node.expression);
}

function ofField(node: FieldExpression): FieldExpression[] {
  if (childTableOf(node) !== null) return [node];
  if (node.kind === "unary") return ofField(node.operand);
  if (node.kind !== "logical") return [];
  if (node.op === "||") return node.operands.flatMap(ofField);
  const rest = node.operands.filter((operand) => childTableOf(operand) === null);
  const joined = [Table.Event, Table.Link].flatMap((table) => {
    const operands = node.operands.filter((operand) => childTableOf(operand) === table);
    if (operands.length === 0) return [];
    return operands.length === 1 ? operands : [{ ...node, operands }];
  });
  return [...joined, ...rest.flatMap(ofField)];
}
