// Which attributes and intrinsics a query mentions, and what it asks of them: a result shows an attribute whose value fits one of the
// conditions on it, or that is mentioned without one.
import type {
  Attribute,
  ComparisonOp,
  FieldExpression,
  Literal,
  ScalarExpression,
  SpansetExpression,
  Stage,
} from "../traceql/index.ts";
import { printAttribute } from "../traceql/index.ts";
import { isAttribute, memberOps, mirrored } from "./necessary.ts";

export interface LoadCondition {
  op: ComparisonOp;
  value: Literal;
}

export interface Load {
  attribute: Attribute;
  /** What filters and aggregates ask of it; null: they look at whatever the value is. */
  conditions: LoadCondition[] | null;
  /** Whether a group or a selection wants it besides, which changes what is shown but not what filters see. */
  isSelected: boolean;
}

/** By canonical name. */
export type Loads = Map<string, Load>;

export function printedOf(attribute: Attribute): string {
  return printAttribute(attribute);
}

export function loadsOf(stages: readonly Stage[]): Loads {
  const loads: Loads = new Map();
  for (const stage of stages) addStage(loads, stage);
  return loads;
}

function addStage(loads: Loads, stage: Stage): void {
  switch (stage.kind) {
    case "filter":
    case "operation":
      addSpanset(loads, stage);
      return;
    case "scalarFilter":
      addScalar(loads, stage.left);
      addScalar(loads, stage.right);
      return;
    case "group":
      if (isAttribute(stage.expression)) select(loads, stage.expression);
      else addField(loads, stage.expression);
      return;
    case "select":
      for (const attribute of stage.attributes) select(loads, attribute);
      return;
    case "coalesce":
      return;
  }
}

function addSpanset(loads: Loads, node: SpansetExpression): void {
  if (node.kind === "filter") addField(loads, node.expression);
  else if (node.kind === "pipeline") for (const stage of node.stages) addStage(loads, stage);
  else {
    addSpanset(loads, node.left);
    addSpanset(loads, node.right);
  }
}

function addScalar(loads: Loads, node: ScalarExpression): void {
  if (node.kind === "aggregate" && node.function !== "count") addField(loads, node.operand);
}

function addField(loads: Loads, node: FieldExpression): void {
  switch (node.kind) {
    case "literal":
      return;
    case "attribute":
    case "intrinsic":
      add(loads, node, null);
      return;
    case "unary":
      addField(loads, node.operand);
      return;
    case "existence":
      if (isAttribute(node.operand)) add(loads, node.operand, node.exists ? null : []);
      else addField(loads, node.operand);
      return;
    case "arithmetic":
      addField(loads, node.left);
      addField(loads, node.right);
      return;
    case "comparison":
      if (isAttribute(node.left) && node.right.kind === "literal") {
        add(loads, node.left, [{ op: node.op, value: node.right }]);
      } else if (isAttribute(node.right) && node.left.kind === "literal") {
        add(loads, node.right, [{ op: mirrored(node.op), value: node.left }]);
      } else {
        addField(loads, node.left);
        addField(loads, node.right);
      }
      return;
    case "logical":
      for (const operand of node.operands) addField(loads, operand);
      return;
    case "membership": {
      const { op } = memberOps[node.op];
      add(
        loads,
        node.attribute,
        node.values.map((value) => ({ op, value })),
      );
      return;
    }
  }
}

function add(loads: Loads, attribute: Attribute, conditions: LoadCondition[] | null): void {
  const load = loadOf(loads, attribute);
  if (conditions === null || load.conditions === null) load.conditions = null;
  else load.conditions = [...load.conditions, ...conditions];
}

function select(loads: Loads, attribute: Attribute): void {
  loadOf(loads, attribute).isSelected = true;
}

function loadOf(loads: Loads, attribute: Attribute): Load {
  const key = printedOf(attribute);
  let load = loads.get(key);
  if (load === undefined) {
    load = { attribute, conditions: [], isSelected: false };
    loads.set(key, load);
  }
  return load;
}
