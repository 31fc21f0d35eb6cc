// Expressions of a query over all spans of a batch at once: vectors in the core, one operation after the other.
import { Column } from "../../wasm/column_ids.ts";
import { Arithmetic, Compare, Field, QueryType, Table } from "../../wasm/query_ids.ts";
import type { CoreExports, SpanBatch } from "../batch/span_batch.ts";
import type {
  ArithmeticOp,
  Attribute,
  AttributeField,
  Comparison,
  ComparisonOp,
  FieldExpression,
  IntrinsicName,
  Literal,
  Logical,
  Membership,
} from "../traceql/index.ts";
import { intrinsicTypes } from "../traceql/index.ts";
import { arrayElements } from "./array_elements.ts";
import { parseSpanIdText, parseTraceIdText, spanIdText, traceIdText } from "./ids.ts";
import { type LoadCondition, type Loads, printedOf } from "./loads.ts";
import type { ListOp, StringMatch } from "./match.ts";
import { matchAnyOf, matchOf } from "./match_cache.ts";
import { isAttribute, memberOps, mirrored } from "./necessary.ts";
import { childTableOf, tableOf } from "./subjects.ts";
import { type Element, type ElementTest, elementTest, wordsOf } from "./values.ts";
import { Vectors } from "./vectors.ts";

/** A value vector, or one of truths alone. */
interface Vector {
  kind: "value" | "truth";
  at: number;
  /** Whether it stays with the evaluator; if not, whoever got it gives it back. */
  kept?: boolean;
}

/** Attributes whose values are kept for the next time that they are asked for. */
const loadsKeptMax = 16;

export class Evaluator {
  readonly batch: SpanBatch;
  readonly vectors: Vectors;
  readonly #core: CoreExports;
  readonly #loads: Loads;
  readonly #subjects: readonly FieldExpression[];
  readonly #rows: Record<Table, number>;
  readonly #loaded = new Map<string, number>();

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
    this.#core = batch.core;
    this.#loads = loads;
    this.#subjects = subjects;
    this.#rows = {
      [Table.Span]: batch.spans,
      [Table.Event]: batch.core.eventCount!(),
      [Table.Link]: batch.core.linkCount!(),
    };
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
    const values = this.#load(attribute);
    this.#core.truthOfType!(absent, values.at, rows, QueryType.Nil);
    this.#giveValue(values, rows);
    if (attribute.scope !== "none") {
      const others = this.vectors.truth(rows);
      const owner = attribute.scope === "resource" ? 1 : attribute.scope === "instrumentation" ? 2 : 0;
      this.#core.hasAttrs!(others, table, owner);
      this.#core.andTruth!(absent, others, rows);
      this.vectors.giveTruth(others, rows);
    }
    return table === Table.Span ? absent : this.#anyOfSpan(absent, table);
  }

  giveTruth(at: number): void {
    this.vectors.giveTruth(at, this.spans);
  }

  /** Address of a truth vector, valid until the batch grows. */
  address(at: number): number {
    return this.#core.vectorAddress!(at) >>> 0;
  }

  /** Values by span, kept as long as the evaluator. */
  values(expression: FieldExpression): number {
    return this.#anyValues(expression, Table.Span).at;
  }

  /** Whether a span shows the attribute in a result: that its value fits one of the conditions on it. null: wherever it has one. */
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
      const id = this.#findString(encoder.encode(literal.value));
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
    if (own === table || own === Table.Span) return this.#load(attribute);
    return this.#remembered(`first ${printedOf(attribute)}`, () => {
      const rows = this.#rows[own];
      const from = this.#load(attribute);
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
      this.#giveValue(from, rows);
      return at;
    });
  }

  /** Truth by event or link: whether it is one that a filter is about, with all that the filter asks of one. */
  #chosen(table: Table): number | null {
    const rows = this.#rows[table];
    let any: number | null = null;
    for (const node of this.#subjects) {
      if (childTableOf(node) !== table) continue;
      const at = this.#truthOf(node, table);
      if (any === null) any = at;
      else {
        this.#core.orTruth!(any, at, rows);
        this.vectors.giveTruth(at, rows);
      }
    }
    return any;
  }

  /** Values of an attribute in the table that it belongs to. */
  #load(attribute: Attribute): Vector {
    return this.#remembered(printedOf(attribute), () => {
      const table = tableOf(attribute);
      const at = this.vectors.value(this.#rows[table]);
      if (attribute.kind === "intrinsic") this.#core.loadField!(at, fieldOf(attribute.name));
      else this.#loadAttribute(at, attribute.scope, attribute.name, table);
      return at;
    });
  }

  /** Loads once what is asked for several times, as long as that is not too much. */
  #remembered(key: string, load: () => number): Vector {
    const known = this.#loaded.get(key);
    if (known !== undefined) return { kind: "value", at: known, kept: true };
    const at = load();
    if (this.#loaded.size >= loadsKeptMax) return { kind: "value", at };
    this.#loaded.set(key, at);
    return { kind: "value", at, kept: true };
  }

  #loadAttribute(at: number, scope: string, name: string, table: Table): void {
    const core = this.#core;
    const key = this.#findString(encoder.encode(name));
    if (key < 0) {
      const isService = scope === "resource" && name === serviceName;
      core.fillValue!(at, this.#rows[table], isService ? QueryType.String : QueryType.Nil, 0, 0);
      return;
    }
    switch (scope) {
      case "span":
        core.loadSpanAttr!(at, key);
        return;
      case "resource":
        core.loadResourceAttr!(at, key, 0);
        if (name === serviceName) core.fillNil!(at, this.spans, QueryType.String, 0, 0);
        return;
      case "instrumentation":
        core.loadScopeAttr!(at, key);
        return;
      case "none":
        core.loadSpanAttr!(at, key);
        core.loadResourceAttr!(at, key, 1);
        return;
      default:
        core.loadChildAttr!(at, table, key);
    }
  }

  /** Id of a string in the batch, or -1. */
  #findString(bytes: Uint8Array): number {
    return this.#core.findString!(this.batch.give(bytes), bytes.length);
  }

  // ---- logic

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
    this.#giveValue(vector, this.#rows[table]);
    return at;
  }

  #giveValue({ kind, at, kept }: Vector, rows: number): void {
    if (kind === "value" && !kept) this.vectors.giveValue(at, rows);
  }

  #not(operand: FieldExpression, table: Table): Vector {
    const rows = this.#rows[table];
    const vector = this.#evaluate(operand, table);
    const at = this.#truth(vector, table);
    this.#core.notTruth!(at, rows);
    if (vector.kind === "value") this.#andBool(at, vector.at, rows);
    this.#giveValue(vector, rows);
    return { kind: "truth", at };
  }

  /** What is no bool has no truth. */
  #andBool(truth: number, values: number, rows: number): void {
    const bools = this.vectors.truth(rows);
    this.#core.truthOfType!(bools, values, rows, QueryType.Bool);
    this.#core.andTruth!(truth, bools, rows);
    this.vectors.giveTruth(bools, rows);
  }

  /** `a && b && …`. What is asked of events has to hold of one of them, and so for links. */
  #every(node: Logical, table: Table): number {
    const rows = this.#rows[table];
    let all: number | null = null;
    const join = (at: number): void => {
      if (all === null) all = at;
      else {
        this.#core.andTruth!(all, at, rows);
        this.vectors.giveTruth(at, rows);
      }
    };
    const children = { [Table.Event]: [] as FieldExpression[], [Table.Link]: [] as FieldExpression[] };
    for (const operand of node.operands) {
      const own = table === Table.Span ? childTableOf(operand) : null;
      if (own === null) join(this.#truthOf(operand, table));
      else children[own].push(operand);
    }
    for (const own of [Table.Event, Table.Link] as const) {
      let at: number | null = null;
      for (const operand of children[own]) {
        const next = this.#truthOf(operand, own);
        if (at === null) at = next;
        else {
          this.#core.andTruth!(at, next, this.#rows[own]);
          this.vectors.giveTruth(next, this.#rows[own]);
        }
      }
      if (at !== null) join(this.#anyOfSpan(at, own));
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
      this.#core.orTruth!(any, at, rows);
      this.vectors.giveTruth(at, rows);
      if (!isBool) this.#andBool(any, first!.at, rows);
      if (vector.kind === "value") this.#andBool(any, vector.at, rows);
      this.#giveValue(vector, rows);
      isBool = true;
    }
    if (first) this.#giveValue(first, rows);
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
      this.#giveValue(vector, rows);
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
    this.#giveValue(other, rows);
    return { kind: "value", at };
  }

  /** Values that may be written over: loaded ones are kept for others. */
  #copyOfValues(node: FieldExpression, table: Table): number {
    const rows = this.#rows[table];
    const from = this.#anyValues(node, table);
    if (!from.kept) return from.at;
    const at = this.vectors.value(rows);
    this.#core.copyValues!(at, from.at, rows);
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
    if (op === "=~" || op === "!~") {
      // The pattern is a literal, and what is matched is no attribute: it has no string.
      this.#core.fillTruth!(at, rows, 0);
      return at;
    }
    this.#core.compareVectors!(at, a.at, b.at, rows, compares[op]);
    this.#compareRare(at, a.at, b.at, rows, op);
    this.#giveValue(a, rows);
    this.#giveValue(b, rows);
    return at;
  }

  /** Comparisons of arrays with scalars and of ids with texts, which the core leaves out: one row after the other. */
  #compareRare(at: number, a: number, b: number, rows: number, op: ComparisonOp): void {
    const aTypes = this.#types(a, rows);
    const bTypes = this.#types(b, rows);
    for (let row = 0; row < rows; row++) {
      if (aTypes[row]! < QueryType.Array && bTypes[row]! < QueryType.Array) continue;
      const left = this.#plain(a, rows, row);
      const right = this.#plain(b, rows, row);
      if (left === null || right === null) continue;
      const truth = comparePlain(left, right, op);
      new Uint8Array(this.#core.memory.buffer, this.address(at), rows)[row] = truth ? 1 : 0;
    }
  }

  #types(at: number, rows: number): Uint8Array {
    return new Uint8Array(this.#core.memory.buffer, this.address(at), rows);
  }

  /** Value of a row whose type the core does not compare; null if that is none of these. */
  #plain(at: number, rows: number, row: number): Element | Element[] | null {
    const type = this.#types(at, rows)[row]!;
    const bits = this.word(at, rows, row);
    switch (type) {
      case QueryType.String:
        return this.batch.stringBytes(Number(bits)).slice();
      case QueryType.Bool:
        return bits !== 0n;
      case QueryType.Int:
        return BigInt.asIntN(64, bits);
      case QueryType.Double:
        return doubleOf(bits);
      case QueryType.Array:
        return arrayElements(this.batch.blob(Number(bits)));
      case QueryType.TraceId:
      case QueryType.SpanId:
      case QueryType.LinkTraceId:
      case QueryType.LinkSpanId:
        return encoder.encode(this.idText(type, bits));
      default:
        return null;
    }
  }

  /** The 8 bytes of a value. */
  word(at: number, rows: number, row: number): bigint {
    return new DataView(this.#core.memory.buffer).getBigUint64(
      this.address(at) + this.#core.typeBytes!(rows) + row * 8,
      true,
    );
  }

  type(at: number, row: number): QueryType {
    return new Uint8Array(this.#core.memory.buffer, this.address(at), row + 1)[row]! as QueryType;
  }

  /** Text of an id, by its type and the bytes of its value. */
  idText(type: QueryType, bits: bigint): string {
    switch (type) {
      case QueryType.TraceId: {
        const ids = this.batch.u8(Column.TraceId, (Number(bits) + 1) * 16);
        return traceIdText(ids.subarray(Number(bits) * 16));
      }
      case QueryType.SpanId:
        return spanIdText(wireBytes(bits));
      case QueryType.LinkTraceId:
        return traceIdText(this.batch.stringBytes(Number(bits)));
      default:
        return spanIdText(this.batch.stringBytes(Number(bits)));
    }
  }

  #withLiteral(attribute: Attribute, op: ComparisonOp, literal: Literal, table: Table): number {
    const rows = this.#rows[table];
    const at = this.vectors.truth(rows);
    if (this.#compareColumn(at, attribute, op, literal)) return at;
    const values = this.#valueOf(attribute, table);
    if (attribute.kind === "intrinsic") {
      this.#compareIntrinsic(at, values.at, rows, attribute.name, op, literal);
    } else {
      this.#compareScalars(at, values.at, rows, op, literal);
      this.#compareArrays(at, values.at, rows, attribute, op, elementTest(op, literal));
    }
    this.#giveValue(values, rows);
    return at;
  }

  /** Equality of what has a column of small numbers to itself needs no vector of values. Returns whether it was that. */
  #compareColumn(at: number, attribute: Attribute, op: ComparisonOp, literal: Literal): boolean {
    if (attribute.kind !== "intrinsic" || (op !== "=" && op !== "!=")) return false;
    const column = numberColumns[attribute.name];
    if (column === undefined) return false;
    let number: number;
    if (literal.type === "string") {
      number = this.#findString(encoder.encode(literal.value));
    } else if (literal.type === "status" || literal.type === "kind") {
      number = wordsOf(literal).low;
    } else return false;
    if (intrinsicTypes[attribute.name] !== literal.type) return false;
    this.#core.compareColumn!(at, column, this.#rows[tableOf(attribute)], op === "=" ? 0 : 1, number);
    return true;
  }

  /** An attribute's value is compared with literals of its own type alone. */
  #compareScalars(at: number, values: number, rows: number, op: ComparisonOp, literal: Literal): void {
    if (literal.type === "string") {
      this.#compareStrings(at, values, rows, op, matchOf(op, literal.value));
    } else if (
      (literal.type === "int" || literal.type === "float" || literal.type === "bool") &&
      op !== "=~" &&
      op !== "!~"
    ) {
      const { type, low, high } = wordsOf(literal);
      this.#core.compareTyped!(at, values, rows, compares[op], type, low, high);
    } else {
      this.#core.fillTruth!(at, rows, 0);
    }
  }

  #compareStrings(at: number, values: number, rows: number, op: ComparisonOp, match: StringMatch): void {
    const core = this.#core;
    if (match.equals !== null && (op === "=" || op === "!=")) {
      const id = this.#findString(match.equals);
      core.compareTyped!(at, values, rows, compares[op], QueryType.String, id, id < 0 ? -1 : 0);
      return;
    }
    const count = core.distinctOf!(values, rows, QueryType.String, core.strings!());
    if (count > 0) {
      match.testAll(
        this.batch,
        this.batch.columnAddress(Column.Output),
        count,
        this.batch.columnAddress(Column.QueryTable),
      );
    }
    core.truthByTable!(at, values, rows, QueryType.String);
  }

  /**
   * Adds the rows whose array fits. A negative operator wants every element to fit, out of those that fit any condition on the
   * attribute: what Tempo's storage leaves of an array.
   */
  #compareArrays(
    at: number,
    values: number,
    rows: number,
    attribute: Attribute,
    op: ComparisonOp,
    test: ElementTest,
  ): void {
    const core = this.#core;
    const count = core.distinctOf!(values, rows, QueryType.Array, core.blobs!());
    if (count === 0) return;
    const negative = op === "!=" || op === "!~";
    const survives = negative ? anyTest(this.#seenConditions(attribute)) : null;
    const ids = this.batch.u32(Column.Output, count).slice();
    const table = this.batch.u8(Column.QueryTable, core.blobs!());
    for (const id of ids) {
      const elements = arrayElements(this.batch.blob(id));
      const left = survives === null ? elements : elements.filter(survives);
      table[id] = (negative ? left.length > 0 && left.every(test) : left.some(test)) ? 1 : 0;
    }
    const arrays = this.vectors.truth(rows);
    core.truthByTable!(arrays, values, rows, QueryType.Array);
    core.orTruth!(at, arrays, rows);
    this.vectors.giveTruth(arrays, rows);
  }

  #membership({ op, attribute, values }: Membership, table: Table): number {
    const member = memberOps[op];
    if (attribute.kind === "attribute" && values.every(({ type }) => type === "string")) {
      return this.#stringMembership(attribute, values, op, table);
    }
    let joined: number | null = null;
    const rows = this.#rows[table];
    for (const value of values) {
      const at = this.#withLiteral(attribute, member.op, value, table);
      if (joined === null) joined = at;
      else {
        if (member.isAny) this.#core.orTruth!(joined, at, rows);
        else this.#core.andTruth!(joined, at, rows);
        this.vectors.giveTruth(at, rows);
      }
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
    this.#compareStrings(at, from.at, rows, member.isAny ? "=~" : "!~", match);
    const tests = values.map((value) => elementTest(member.op, value));
    this.#compareArrays(at, from.at, rows, attribute, member.op, (element) =>
      member.isAny ? tests.some((test) => test(element)) : tests.every((test) => test(element)),
    );
    this.#giveValue(from, rows);
    return at;
  }

  #compareIntrinsic(
    at: number,
    values: number,
    rows: number,
    name: IntrinsicName,
    op: ComparisonOp,
    literal: Literal,
  ): void {
    const type = intrinsicTypes[name];
    if (idIntrinsics.has(name)) {
      if (literal.type === "string") this.#compareIds(at, values, rows, name, op, literal.value);
      else this.#core.fillTruth!(at, rows, 0);
      return;
    }
    if (literal.type === "string") {
      this.#compareStrings(at, values, rows, op, matchOf(op, literal.value));
      return;
    }
    if (op === "=~" || op === "!~" || type === "string") {
      this.#core.fillTruth!(at, rows, 0);
      return;
    }
    const words = wordsOf(literal);
    this.#core.compareNumeric!(at, values, rows, compares[op], words.type, words.low, words.high);
  }

  #compareIds(
    at: number,
    values: number,
    rows: number,
    name: IntrinsicName,
    op: ComparisonOp,
    text: string,
  ): void {
    const core = this.#core;
    const equality = op === "=" || op === "!=";
    if (!equality && op !== "=~" && op !== "!~") {
      core.fillTruth!(at, rows, 0);
      return;
    }
    if (equality && (name === "span:id" || name === "span:parentID" || name === "trace:id")) {
      const id = name === "trace:id" ? parseTraceIdText(text) : parseSpanIdText(text);
      if (id === null) core.fillTruth!(at, rows, op === "=" ? 0 : 1);
      else if (name === "trace:id") {
        this.batch.give(id);
        core.compareTraceId!(at, values, rows, compares[op]);
      } else {
        const view = new DataView(id.buffer);
        core.compareSpanId!(at, values, rows, compares[op], view.getInt32(0, true), view.getInt32(4, true));
      }
      return;
    }
    const match = matchOf(op, text);
    if (name === "span:id" || name === "span:parentID") {
      for (let row = 0; row < rows; row++) {
        const truth = match.test(encoder.encode(this.idText(QueryType.SpanId, this.word(values, rows, row))));
        this.#types(at, rows)[row] = truth ? 1 : 0;
      }
      return;
    }
    const type = idTypes[name]!;
    const entries = type === QueryType.TraceId ? this.batch.traces : core.strings!();
    const count = core.distinctOf!(values, rows, type, entries);
    const ids = this.batch.u32(Column.Output, count).slice();
    const table = this.batch.u8(Column.QueryTable, entries);
    for (const id of ids) table[id] = match.test(encoder.encode(this.idText(type, BigInt(id)))) ? 1 : 0;
    core.truthByTable!(at, values, rows, type);
  }

  /** Truth of any condition, in the attribute's own table. */
  #anyCondition(attribute: Attribute, conditions: readonly LoadCondition[], table: Table): number {
    const rows = this.#rows[table];
    const any = this.vectors.truth(rows);
    this.#core.fillTruth!(any, rows, 0);
    for (const { op, value } of conditions) {
      const at = this.#conditionOn(attribute, op, value, table);
      this.#core.orTruth!(any, at, rows);
      this.vectors.giveTruth(at, rows);
    }
    return any;
  }

  /** As a comparison, but of arrays one fitting element is enough: the others are not shown. */
  #conditionOn(attribute: Attribute, op: ComparisonOp, literal: Literal, table: Table): number {
    if (attribute.kind === "intrinsic") return this.#withLiteral(attribute, op, literal, table);
    const rows = this.#rows[table];
    const values = this.#load(attribute);
    const at = this.vectors.truth(rows);
    this.#compareScalars(at, values.at, rows, op, literal);
    this.#compareArrays(at, values.at, rows, attribute, "=", elementTest(op, literal));
    this.#giveValue(values, rows);
    return at;
  }
}

/** Whether an element fits any of the conditions; all do where there are none. */
function anyTest(conditions: readonly LoadCondition[] | null): ElementTest {
  if (conditions === null) return () => true;
  const tests = conditions.map(({ op, value }) => elementTest(op, value));
  return (element) => tests.some((test) => test(element));
}

/** Of resources the one attribute that is never nil: without it the service's name is empty. */
const serviceName = "service.name";

const encoder = new TextEncoder();

const compares: Record<Exclude<ComparisonOp, "=~" | "!~">, Compare> = {
  "=": Compare.Equal,
  "!=": Compare.NotEqual,
  "<": Compare.Less,
  "<=": Compare.LessEqual,
  ">": Compare.Greater,
  ">=": Compare.GreaterEqual,
};

const arithmetics: Record<ArithmeticOp, Arithmetic> = {
  "+": Arithmetic.Add,
  "-": Arithmetic.Subtract,
  "*": Arithmetic.Multiply,
  "/": Arithmetic.Divide,
  "%": Arithmetic.Modulo,
  "^": Arithmetic.Power,
};

const fields: Partial<Record<IntrinsicName, Field>> = {
  duration: Field.Duration,
  name: Field.Name,
  status: Field.Status,
  statusMessage: Field.StatusMessage,
  kind: Field.Kind,
  "span:id": Field.SpanId,
  "span:parentID": Field.ParentId,
  "span:childCount": Field.ChildCount,
  traceDuration: Field.TraceDuration,
  rootName: Field.RootName,
  rootServiceName: Field.RootService,
  "trace:id": Field.TraceId,
  "event:name": Field.EventName,
  "event:timeSinceStart": Field.EventTime,
  "link:traceID": Field.LinkTraceId,
  "link:spanID": Field.LinkSpanId,
  "instrumentation:name": Field.ScopeName,
  "instrumentation:version": Field.ScopeVersion,
  nestedSetLeft: Field.NestedLeft,
  nestedSetRight: Field.NestedRight,
  nestedSetParent: Field.NestedParent,
};

/** Columns with a code, or the id of a string that the batch has once. */
const numberColumns: Partial<Record<IntrinsicName, Column>> = {
  name: Column.SpanName,
  status: Column.SpanStatus,
  statusMessage: Column.SpanStatusMessage,
  kind: Column.SpanKind,
  "event:name": Column.EventName,
};

function fieldOf(name: IntrinsicName): Field {
  const field = fields[name];
  if (field === undefined) throw new Error(`intrinsic ${name} has no field`);
  return field;
}

const idTypes: Partial<Record<IntrinsicName, QueryType>> = {
  "trace:id": QueryType.TraceId,
  "span:id": QueryType.SpanId,
  "span:parentID": QueryType.SpanId,
  "link:traceID": QueryType.LinkTraceId,
  "link:spanID": QueryType.LinkSpanId,
};
const idIntrinsics: ReadonlySet<string> = new Set(Object.keys(idTypes));

/** A value against another, of which one is a list: any element has to fit, or for a negative operator all. */
function comparePlain(left: Element | Element[], right: Element | Element[], op: ComparisonOp): boolean {
  if (Array.isArray(left) && Array.isArray(right)) return false;
  if (Array.isArray(right)) return comparePlain(right, left, mirrored(op));
  if (Array.isArray(left)) {
    const test = (element: Element) => compareElements(element, right as Element, op);
    return op === "!=" ? left.length > 0 && left.every(test) : left.some(test);
  }
  return compareElements(left, right, op);
}

function compareElements(a: Element, b: Element, op: ComparisonOp): boolean {
  let order: number;
  if (a instanceof Uint8Array && b instanceof Uint8Array) order = Buffer.compare(a, b);
  else if (typeof a === "boolean" && typeof b === "boolean") {
    if (op !== "=" && op !== "!=") return false;
    order = Number(a) - Number(b);
  } else if (isNumber(a) && isNumber(b)) {
    if (Number.isNaN(a) || Number.isNaN(b)) return op === "!=";
    order = a < b ? -1 : a > b ? 1 : 0;
  } else return false;
  switch (op) {
    case "=":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    default:
      return order >= 0;
  }
}

function isNumber(value: Element): value is bigint | number {
  return typeof value === "bigint" || typeof value === "number";
}

/** The bytes of an id as they are on the wire, which the core reads as a little-endian number. */
function wireBytes(bits: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, bits, true);
  return bytes;
}

const doubleView = new DataView(new ArrayBuffer(8));

export function doubleOf(bits: bigint): number {
  doubleView.setBigUint64(0, bits, true);
  return doubleView.getFloat64(0, true);
}
