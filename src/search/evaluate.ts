// Expressions of a query over all spans of a batch at once: vectors in the core, one operation after the other.
import { Column } from "../../wasm/column_ids.ts";
import { Arithmetic, QueryType, Table } from "../../wasm/query_ids.ts";
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import type {
  ArithmeticOp,
  Attribute,
  AttributeField,
  Comparison,
  ComparisonOp,
  FieldExpression,
  Literal,
  Logical,
  Membership,
} from "../traceql/index.ts";
import { arrayElements } from "./array_elements.ts";
import { LiteralComparer } from "./compare_literal.ts";
import { compareRows } from "./compare_rows.ts";
import { ValueLoader } from "./load_values.ts";
import { type LoadCondition, type Loads, printedOf } from "./loads.ts";
import type { ListOp } from "./match.ts";
import { matchAnyOf } from "./match_cache.ts";
import { isAttribute, memberOps, mirrored } from "./necessary.ts";
import { compares } from "./operators.ts";
import { childTableOf, tableOf } from "./subjects.ts";
import { anyTest, type Element, type ElementTest, elementTest, wordsOf } from "./values.ts";
import { VectorReader } from "./vector_reader.ts";
import { type Vector, Vectors } from "./vectors.ts";

export class Evaluator {
  readonly batch: SpanBatch;
  readonly vectors: Vectors;
  readonly reader: VectorReader;
  readonly #core: CoreExports;
  readonly #loads: Loads;
  readonly #subjects: readonly FieldExpression[];
  readonly #rows: Record<Table, number>;
  readonly #loader: ValueLoader;
  readonly #literals: LiteralComparer;

  /**
   * @param loads what the whole query asks of its attributes
   * @param subjects what its filters ask of single events and links, see subjectsOf()
   * @param ofQuery whether traces are in the order that orderForQuery() made, or else in that of order() or of a block
   */
  constructor(
    batch: SpanBatch,
    { loads, subjects }: { loads: Loads; subjects: readonly FieldExpression[] },
    ofQuery: boolean,
  ) {
    this.batch = batch;
    this.vectors = new Vectors(batch);
    this.reader = new VectorReader(batch);
    this.#core = batch.core;
    this.#loads = loads;
    this.#subjects = subjects;
    this.#loader = new ValueLoader(batch, this.vectors);
    this.#literals = new LiteralComparer(batch, this.vectors, this.#loader, this.reader);
    this.#rows = this.#loader.rows;
    batch.core.chooseOrder!(ofQuery ? 1 : 0);
  }

  get spans(): number {
    return this.#rows[Table.Span];
  }

  /** Truth by span. To be given back with giveTruth(). */
  truths(expression: FieldExpression): number {
    return this.#truthOf(expression, Table.Span);
  }

  /**
   * Truth by span of a filter that says nothing but `scope.x = nil`: as Tempo has it, of what has attributes in that scope, but not
   * this one. In longer filters the absence alone counts.
   */
  truthsOfAbsence(attribute: AttributeField): number {
    const table = tableOf(attribute);
    const rows = this.#rows[table];
    const absent = this.vectors.truth(rows);
    const values = this.#loader.load(attribute);
    this.#core.truthOfType!(absent, values.at, rows, QueryType.Nil);
    this.vectors.giveVector(values, rows);
    if (attribute.scope !== "none") {
      const others = this.vectors.truth(rows);
      const owner = attribute.scope === "resource" ? 1 : attribute.scope === "instrumentation" ? 2 : 0;
      this.#core.hasAttrs!(others, table, owner);
      this.vectors.and(absent, others, rows);
    }
    return table === Table.Span ? absent : this.#anyOfSpan(absent, table);
  }

  giveTruth(at: number): void {
    this.vectors.giveTruth(at, this.spans);
  }

  /** Values by span. To be given back with giveValues(). */
  values(expression: FieldExpression): Vector {
    return this.#anyValues(expression, Table.Span);
  }

  giveValues(values: Vector): void {
    this.vectors.giveVector(values, this.spans);
  }

  /**
   * Whether a span shows the attribute in a result: that its value fits one of the conditions on it. null: wherever it has one. To be
   * given back with giveTruth().
   */
  shown(attribute: Attribute): number | null {
    const conditions = this.#shownConditions(attribute);
    if (conditions === null) return null;
    const table = tableOf(attribute);
    const at = this.#anyCondition(attribute, conditions, table);
    return table === Table.Span ? at : this.#anyOfSpan(at, table);
  }

  /** Elements of an array that a result shows: those that fit a condition on it. */
  shownElements(attribute: Attribute, blob: number): Element[] {
    const elements = arrayElements(this.batch.blob(blob));
    return elements.filter(anyTest(this.#shownConditions(attribute)));
  }

  /** Of an attribute that nothing but conditions mention, those conditions. */
  #shownConditions(attribute: Attribute): LoadCondition[] | null {
    const load = this.#loads.get(printedOf(attribute));
    return load === undefined || load.isSelected ? null : load.conditions;
  }

  /** Conditions that leave of an attribute's values what filters see. None: whatever it is. */
  #seenConditions(attribute: Attribute): LoadCondition[] | null {
    const conditions = this.#loads.get(printedOf(attribute))?.conditions ?? null;
    return conditions?.length === 0 ? null : conditions;
  }

  #evaluate(node: FieldExpression, table: Table): Vector {
    switch (node.kind) {
      case "literal":
        return this.#literal(node, table);
      case "attribute":
      case "intrinsic":
        return this.#valueOf(node, table);
      case "unary":
        return node.op === "!" ? this.#not(node.operand, table) : this.#negative(node.operand, table);
      case "arithmetic":
        return this.#compute(node.op, node.left, node.right, table);
      case "comparison":
        return { kind: "truth", at: this.#ofChild(node, table, (own) => this.#comparison(node, own)) };
      case "membership":
        return { kind: "truth", at: this.#ofChild(node, table, (own) => this.#membership(node, own)) };
      case "existence":
        return { kind: "truth", at: this.#existence(node.operand, node.exists, table) };
      case "logical":
        return { kind: "truth", at: node.op === "&&" ? this.#every(node, table) : this.#some(node, table) };
    }
  }

  #literal(literal: Literal, table: Table): Vector {
    const rows = this.#rows[table];
    if (literal.type === "bool") {
      const at = this.vectors.truth(rows);
      this.#core.fillTruth!(at, rows, literal.value ? 1 : 0);
      return { kind: "truth", at };
    }
    const at = this.vectors.value(rows);
    if (literal.type === "string") {
      // One that no span has is equal to none of theirs: nil is as good.
      const id = this.#loader.findString(encoder.encode(literal.value));
      this.#core.fillValue!(at, rows, id < 0 ? QueryType.Nil : QueryType.String, id, 0);
    } else {
      const { type, low, high } = wordsOf(literal);
      this.#core.fillValue!(at, rows, type, low, high);
    }
    return { kind: "value", at };
  }

  // ---- attributes

  /** Values of an attribute; for a span the first of its events or links that fits, or that has it. */
  #valueOf(attribute: Attribute, table: Table): Vector {
    const own = tableOf(attribute);
    if (own === table || own === Table.Span) return this.#loader.load(attribute);
    return this.#loader.remembered(`first ${printedOf(attribute)}`, this.spans, () => {
      const rows = this.#rows[own];
      const from = this.#loader.load(attribute);
      const at = this.vectors.value(this.spans);
      const fitting = this.vectors.truth(rows);
      const conditions = this.#seenConditions(attribute);
      if (conditions === null) this.#core.fillTruth!(fitting, rows, 1);
      else {
        const any = this.#anyCondition(attribute, conditions, own);
        this.#core.copyTruth!(fitting, any, rows);
        this.vectors.giveTruth(any, rows);
      }
      // Of an event that the filters are about rather than of any that fits this attribute's own conditions.
      const chosen = this.#chosen(own);
      if (chosen !== null) {
        this.#core.andTruth!(chosen, fitting, rows);
        this.#core.firstOfSpan!(at, from.at, own, chosen, 0);
        this.vectors.giveTruth(chosen, rows);
      }
      this.#core.firstOfSpan!(at, from.at, own, fitting, chosen === null ? 0 : 1);
      this.vectors.giveTruth(fitting, rows);
      this.vectors.giveVector(from, rows);
      return at;
    });
  }

  /** Truth by event or link: whether it is one that a filter is about, with all that the filter asks of one. */
  #chosen(table: Table): number | null {
    const rows = this.#rows[table];
    let any: number | null = null;
    for (const node of this.#subjects) {
      if (childTableOf(node) !== table) continue;
      any = this.vectors.or(any, this.#truthOf(node, table), rows);
    }
    return any;
  }

  /** Truth of values: of a true bool. */
  #truth(vector: Vector, table: Table): number {
    if (vector.kind === "truth") return vector.at;
    const rows = this.#rows[table];
    const at = this.vectors.truth(rows);
    this.#core.truthOfValues!(at, vector.at, rows);
    return at;
  }

  #truthOf(node: FieldExpression, table: Table): number {
    const vector = this.#evaluate(node, table);
    const at = this.#truth(vector, table);
    this.vectors.giveVector(vector, this.#rows[table]);
    return at;
  }

  #not(operand: FieldExpression, table: Table): Vector {
    const rows = this.#rows[table];
    const vector = this.#evaluate(operand, table);
    if (vector.kind === "truth") {
      this.#core.notTruth!(vector.at, rows);
      return vector;
    }
    const at = this.vectors.value(rows);
    this.#core.notValues!(at, vector.at, rows);
    this.vectors.giveVector(vector, rows);
    return { kind: "value", at };
  }

  /** What is no bool has no truth. */
  #andBool(truth: number, values: number, rows: number): void {
    const bools = this.vectors.truth(rows);
    this.#core.truthOfType!(bools, values, rows, QueryType.Bool);
    this.vectors.and(truth, bools, rows);
  }

  /** `a && b && …`. What is asked of events has to hold of one of them, and so for links. */
  #every(node: Logical, table: Table): number {
    const rows = this.#rows[table];
    let all: number | null = null;
    const children: Record<Table.Event | Table.Link, number | null> = {
      [Table.Event]: null,
      [Table.Link]: null,
    };
    for (const operand of node.operands) {
      const own = table === Table.Span ? childTableOf(operand) : null;
      if (own === null) all = this.vectors.and(all, this.#truthOf(operand, table), rows);
      else children[own] = this.vectors.and(children[own], this.#truthOf(operand, own), this.#rows[own]);
    }
    for (const own of [Table.Event, Table.Link] as const) {
      const at = children[own];
      if (at !== null) all = this.vectors.and(all, this.#anyOfSpan(at, own), rows);
    }
    return all!;
  }

  /** `a || b || …`, two at a time from the left: false if one of the two is no bool. */
  #some(node: Logical, table: Table): number {
    const rows = this.#rows[table];
    let any: number | null = null;
    let isBool = true;
    let first: Vector | null = null;
    for (const operand of node.operands) {
      const vector = this.#evaluate(operand, table);
      const at = this.#truth(vector, table);
      if (any === null) {
        any = at;
        first = vector;
        isBool = vector.kind === "truth";
        continue;
      }
      any = this.vectors.or(any, at, rows);
      if (!isBool) this.#andBool(any, first!.at, rows);
      if (vector.kind === "value") this.#andBool(any, vector.at, rows);
      this.vectors.giveVector(vector, rows);
      isBool = true;
    }
    if (first) this.vectors.giveVector(first, rows);
    return any!;
  }

  #existence(operand: FieldExpression, exists: boolean, table: Table): number {
    const rows = this.#rows[table];
    const child = isAttribute(operand) ? tableOf(operand) : Table.Span;
    if (table === Table.Span && child !== Table.Span) {
      const at = this.#anyOfSpan(this.#existence(operand, true, child), child);
      if (!exists) this.#core.notTruth!(at, rows);
      return at;
    }
    const vector = this.#evaluate(operand, table);
    const at = vector.kind === "truth" ? vector.at : this.vectors.truth(rows);
    if (vector.kind === "truth") this.#core.fillTruth!(at, rows, exists ? 1 : 0);
    else {
      this.#core.truthOfType!(at, vector.at, rows, QueryType.Nil);
      if (exists) this.#core.notTruth!(at, rows);
      this.vectors.giveVector(vector, rows);
    }
    return at;
  }

  /** Evaluates in the table of the attribute that it is about, and takes the result to the spans. */
  #ofChild(node: FieldExpression, table: Table, evaluate: (own: Table) => number): number {
    const child = table === Table.Span ? childTableOf(node) : null;
    return child === null ? evaluate(table) : this.#anyOfSpan(evaluate(child), child);
  }

  /** The truth of events or links, which is used up, as one of spans. */
  #anyOfSpan(at: number, table: Table): number {
    const out = this.vectors.truth(this.spans);
    this.#core.anyOfSpan!(out, at, table);
    this.vectors.giveTruth(at, this.#rows[table]);
    return out;
  }

  // ---- numbers

  #negative(operand: FieldExpression, table: Table): Vector {
    const at = this.#copyOfValues(operand, table);
    this.#core.negateVector!(at, this.#rows[table]);
    return { kind: "value", at };
  }

  #compute(op: ArithmeticOp, left: FieldExpression, right: FieldExpression, table: Table): Vector {
    const rows = this.#rows[table];
    const at = this.#copyOfValues(left, table);
    const other = this.#anyValues(right, table);
    this.#core.computeVectors!(at, other.at, rows, arithmetics[op]);
    this.vectors.giveVector(other, rows);
    return { kind: "value", at };
  }

  /** Values that may be written over: loaded ones are kept for others. */
  #copyOfValues(node: FieldExpression, table: Table): number {
    const rows = this.#rows[table];
    const from = this.#anyValues(node, table);
    if (!from.kept) return from.at;
    const at = this.vectors.value(rows);
    this.#core.copyValues!(at, from.at, rows);
    this.vectors.giveVector(from, rows);
    return at;
  }

  #anyValues(node: FieldExpression, table: Table): Vector {
    const vector = this.#evaluate(node, table);
    if (vector.kind === "value") return vector;
    const rows = this.#rows[table];
    const at = this.vectors.value(rows);
    this.#core.valuesOfTruth!(at, vector.at, rows);
    this.vectors.giveTruth(vector.at, rows);
    return { kind: "value", at };
  }

  // ---- comparisons

  #comparison({ op, left, right }: Comparison, table: Table): number {
    if (isAttribute(left) && right.kind === "literal") return this.#withLiteral(left, op, right, table);
    if (isAttribute(right) && left.kind === "literal") {
      return this.#withLiteral(right, mirrored(op), left, table);
    }
    const rows = this.#rows[table];
    const a = this.#anyValues(left, table);
    const b = this.#anyValues(right, table);
    const at = this.vectors.truth(rows);
    // The pattern is a literal, and what is matched is no attribute: it has no string.
    if (op === "=~" || op === "!~") this.#core.fillTruth!(at, rows, 0);
    else {
      const arrays = this.#core.compareVectors!(at, a.at, b.at, rows, compares[op]);
      if (arrays > 0) {
        compareRows(this.reader, at, a.at, b.at, rows, op, this.batch.u32(Column.Output, arrays));
      }
    }
    this.vectors.giveVector(a, rows);
    this.vectors.giveVector(b, rows);
    return at;
  }

  #withLiteral(attribute: Attribute, op: ComparisonOp, literal: Literal, table: Table): number {
    const rows = this.#rows[table];
    const at = this.vectors.truth(rows);
    if (this.#literals.column(at, attribute, op, literal)) return at;
    const values = this.#valueOf(attribute, table);
    if (attribute.kind === "intrinsic") {
      this.#literals.intrinsic(at, values.at, rows, attribute.name, op, literal);
    } else {
      this.#literals.scalars(at, values.at, rows, op, literal);
      this.#arrays(at, values.at, rows, attribute, op, elementTest(op, literal));
    }
    this.vectors.giveVector(values, rows);
    return at;
  }

  /** Adds the rows whose array fits. A negative operator asks it of the elements alone that filters see. */
  #arrays(
    at: number,
    values: number,
    rows: number,
    attribute: Attribute,
    op: ComparisonOp,
    test: ElementTest,
  ): void {
    this.#literals.arrays(at, values, rows, op, test, this.#seenConditions(attribute));
  }

  #membership({ op, attribute, values }: Membership, table: Table): number {
    const member = memberOps[op];
    if (attribute.kind === "attribute") {
      const { type } = values[0]!;
      const isUniform = values.every((value) => value.type === type);
      if (isUniform && type === "string") return this.#stringMembership(attribute, values, op, table);
      if (isUniform && (type === "int" || type === "float")) {
        return this.#numberMembership(attribute, values, op, table);
      }
    }
    let joined: number | null = null;
    const rows = this.#rows[table];
    for (const value of values) {
      const at = this.#withLiteral(attribute, member.op, value, table);
      joined = member.isAny ? this.vectors.or(joined, at, rows) : this.vectors.and(joined, at, rows);
    }
    return joined!;
  }

  /** All texts at once: a query may list thousands. */
  #stringMembership(attribute: Attribute, values: Literal[], op: Membership["op"], table: Table): number {
    const rows = this.#rows[table];
    const from = this.#valueOf(attribute, table);
    const member = memberOps[op];
    const texts = values.map((value) => String(value.value));
    const at = this.vectors.truth(rows);
    const match = matchAnyOf(member.op as ListOp, texts);
    this.#literals.strings(at, from.at, rows, member.isAny ? "=~" : "!~", match);
    const test: ElementTest = (element) => element instanceof Uint8Array && match.test(element);
    this.#arrays(at, from.at, rows, attribute, member.op, test);
    this.vectors.giveVector(from, rows);
    return at;
  }

  /** All numbers, of one type, at once. */
  #numberMembership(attribute: Attribute, values: Literal[], op: Membership["op"], table: Table): number {
    const rows = this.#rows[table];
    const from = this.#valueOf(attribute, table);
    const member = memberOps[op];
    const at = this.vectors.truth(rows);
    this.#literals.numbers(at, from.at, rows, values, member.isAny);
    const listed: ReadonlySet<unknown> = new Set(values.map(({ value }) => value));
    const sameType = values[0]!.type === "int" ? "bigint" : "number";
    this.#arrays(
      at,
      from.at,
      rows,
      attribute,
      member.op,
      (element) => typeof element === sameType && listed.has(element) === member.isAny,
    );
    this.vectors.giveVector(from, rows);
    return at;
  }

  /** Truth of any condition, in the attribute's own table. */
  #anyCondition(attribute: Attribute, conditions: readonly LoadCondition[], table: Table): number {
    const rows = this.#rows[table];
    const any = this.vectors.truth(rows);
    this.#core.fillTruth!(any, rows, 0);
    for (const { op, value } of conditions) {
      this.vectors.or(any, this.#conditionOn(attribute, op, value, table), rows);
    }
    return any;
  }

  /** As a comparison, but of arrays one fitting element is enough: the others are not shown. */
  #conditionOn(attribute: Attribute, op: ComparisonOp, literal: Literal, table: Table): number {
    if (attribute.kind === "intrinsic") return this.#withLiteral(attribute, op, literal, table);
    const rows = this.#rows[table];
    const values = this.#loader.load(attribute);
    const at = this.vectors.truth(rows);
    this.#literals.scalars(at, values.at, rows, op, literal);
    this.#literals.arrays(at, values.at, rows, "=", elementTest(op, literal), null);
    this.vectors.giveVector(values, rows);
    return at;
  }
}

const encoder = new TextEncoder();

const arithmetics: Record<ArithmeticOp, Arithmetic> = {
  "+": Arithmetic.Add,
  "-": Arithmetic.Subtract,
  "*": Arithmetic.Multiply,
  "/": Arithmetic.Divide,
  "%": Arithmetic.Modulo,
  "^": Arithmetic.Power,
};
