// The syntax tree of a query. Plain data: it may be cloned to another thread.

import type { Position } from "./errors.ts";
import type { IntrinsicName } from "./intrinsics.ts";

/** Where a node begins, without brackets around it. */
interface Node {
  position: Position;
}

export interface Query extends Node {
  kind: "query";
  /** At least one, and the first is no coalesce. */
  stages: Stage[];
  /** What makes it a metrics query. */
  metrics: MetricsStage | null;
  hints: Hint[];
}

export type Stage = SpansetFilter | SpansetOperation | ScalarFilter | Group | Coalesce | Select;

// ---- span sets

export type SpansetExpression = SpansetFilter | SpansetOperation | Pipeline;

/** `{ expression }`; `{}` has the expression `true`. */
export interface SpansetFilter extends Node {
  kind: "filter";
  expression: FieldExpression;
}

export interface SpansetOperation extends Node {
  kind: "operation";
  op: SpansetOp;
  left: SpansetExpression;
  right: SpansetExpression;
}

/** A pipeline in brackets as an operand: `({ } | count() > 1) && (…)`. */
export interface Pipeline extends Node {
  kind: "pipeline";
  stages: Stage[];
}

export type SpansetOp = "&&" | "||" | StructuralOp | `!${StructuralOp}` | `&${StructuralOp}`;
/** Parent, ancestor, child, descendant, sibling; with `!` the negated forms and with `&` the union forms. */
export type StructuralOp = ">" | ">>" | "<" | "<<" | "~";

// ---- expressions on the fields of a span

export type FieldExpression =
  | Literal
  | Attribute
  | Unary
  | Arithmetic
  | Comparison
  | Logical
  | Existence
  | Membership;

export type Literal = Numeric | StringLiteral | BoolLiteral | StatusLiteral | KindLiteral;
export type Numeric = IntLiteral | FloatLiteral | DurationLiteral;

export interface IntLiteral extends Node {
  kind: "literal";
  type: "int";
  /** 64 bit, signed. */
  value: bigint;
}

export interface FloatLiteral extends Node {
  kind: "literal";
  type: "float";
  /** Finite. */
  value: number;
}

export interface DurationLiteral extends Node {
  kind: "literal";
  type: "duration";
  /** Nanoseconds, 64 bit, signed. */
  value: bigint;
}

export interface StringLiteral extends Node {
  kind: "literal";
  type: "string";
  value: string;
}

export interface BoolLiteral extends Node {
  kind: "literal";
  type: "bool";
  value: boolean;
}

export type StatusName = "unset" | "ok" | "error";
export interface StatusLiteral extends Node {
  kind: "literal";
  type: "status";
  value: StatusName;
}

export type KindName = "unspecified" | "internal" | "server" | "client" | "producer" | "consumer";
export interface KindLiteral extends Node {
  kind: "literal";
  type: "kind";
  value: KindName;
}

export type Attribute = AttributeField | Intrinsic;

/** "none": the span's, or else its resource's. */
export type Scope = "none" | "span" | "resource" | "event" | "link" | "instrumentation";

export interface AttributeField extends Node {
  kind: "attribute";
  /** `parent.x`, `parent.span.x`, `parent.resource.x`: reserved. */
  parent: boolean;
  scope: Scope;
  name: string;
}

export interface Intrinsic extends Node {
  kind: "intrinsic";
  name: IntrinsicName;
}

export interface Unary extends Node {
  kind: "unary";
  op: "-" | "!";
  operand: FieldExpression;
}

export type ArithmeticOp = "+" | "-" | "*" | "/" | "%" | "^";
export interface Arithmetic extends Node {
  kind: "arithmetic";
  op: ArithmeticOp;
  left: FieldExpression;
  right: FieldExpression;
}

export type OrderOp = "=" | "!=" | "<" | "<=" | ">" | ">=";
export type ComparisonOp = OrderOp | "=~" | "!~";
export interface Comparison extends Node {
  kind: "comparison";
  op: ComparisonOp;
  left: FieldExpression;
  right: FieldExpression;
}

export type LogicalOp = "&&" | "||";
/**
 * `a && b && c`, evaluated from the left, two at a time: `(a && b) && c`. Two operands or more; the first one is not
 * itself a chain of the same operator.
 */
export interface Logical extends Node {
  kind: "logical";
  op: LogicalOp;
  operands: FieldExpression[];
}

/** `operand != nil` where exists, else `operand = nil`. */
export interface Existence extends Node {
  kind: "existence";
  exists: boolean;
  operand: FieldExpression;
}

export type MembershipOp = "IN" | "NOT IN" | "MATCH ANY" | "MATCH NONE";
/** What the rewriter makes of several comparisons of one attribute with literals. No query can say it. */
export interface Membership extends Node {
  kind: "membership";
  op: MembershipOp;
  attribute: Attribute;
  /** At least two, all of one type: string, int, float or bool; patterns for the MATCH forms. */
  values: Literal[];
}

// ---- the other stages

/** `aggregate op literal`; the wider forms parse and are refused. */
export interface ScalarFilter extends Node {
  kind: "scalarFilter";
  op: OrderOp;
  left: ScalarExpression;
  right: ScalarExpression;
}

export type ScalarExpression = Numeric | Aggregate | ScalarOperation | ScalarPipeline;

export type Aggregate = CountAggregate | FieldAggregate;

export interface CountAggregate extends Node {
  kind: "aggregate";
  function: "count";
}

export type AggregateName = "min" | "max" | "avg" | "sum";
export interface FieldAggregate extends Node {
  kind: "aggregate";
  function: AggregateName;
  operand: FieldExpression;
}

export interface ScalarOperation extends Node {
  kind: "scalarOperation";
  op: ArithmeticOp;
  left: ScalarExpression;
  right: ScalarExpression;
}

/** `({ } | count())` */
export interface ScalarPipeline extends Node {
  kind: "scalarPipeline";
  stages: Stage[];
  aggregate: Aggregate;
}

export interface Group extends Node {
  kind: "group";
  expression: FieldExpression;
}

export interface Coalesce extends Node {
  kind: "coalesce";
}

export interface Select extends Node {
  kind: "select";
  /** At least one. */
  attributes: Attribute[];
}

// ---- metrics

export interface MetricsStage extends Node {
  kind: "metrics";
  function: MetricsFunction;
  secondStages: SecondStage[];
}

export type MetricsFunction = CountOverTime | FieldOverTime | QuantileOverTime | Compare;

export interface CountOverTime extends Node {
  kind: "countOverTime";
  function: "rate" | "count_over_time";
  by: Attribute[];
}

export type FieldOverTimeName =
  | "min_over_time"
  | "max_over_time"
  | "avg_over_time"
  | "sum_over_time"
  | "histogram_over_time";
export interface FieldOverTime extends Node {
  kind: "fieldOverTime";
  function: FieldOverTimeName;
  attribute: Attribute;
  by: Attribute[];
}

export interface QuantileOverTime extends Node {
  kind: "quantileOverTime";
  attribute: Attribute;
  /** At least one. */
  quantiles: number[];
  by: Attribute[];
}

export interface Compare extends Node {
  kind: "compare";
  selection: SpansetFilter;
  topN: bigint;
  /** Unix nanoseconds. */
  window: { start: bigint; end: bigint } | null;
}

export type SecondStage = Ranking | Threshold;

export interface Ranking extends Node {
  kind: "ranking";
  function: "topk" | "bottomk";
  limit: bigint;
}

export interface Threshold extends Node {
  kind: "threshold";
  op: OrderOp;
  value: Numeric;
}

// ---- hints

export interface Hint extends Node {
  kind: "hint";
  name: string;
  value: Literal;
}

export type AnyNode =
  | Query
  | Stage
  | SpansetExpression
  | FieldExpression
  | ScalarExpression
  | MetricsStage
  | MetricsFunction
  | SecondStage
  | Hint;
