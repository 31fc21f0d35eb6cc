// What was counted, as groups by the values of attributes: the keys that the core wrote, read.
import { Field, QueryType } from "../../wasm/query_ids.ts";
import { bucketBits, Compared, otherValues } from "../../wasm/series_ids.ts";
import { spanIdText, traceIdText } from "../search/ids.ts";
import type { GroupValue } from "../search/labels.ts";
import type { SeriesPart } from "../search/series_part.ts";
import { type IntrinsicName, printAttribute, type Scope } from "../traceql/index.ts";
import type { Cells, CompareGroup, CompareSide, GroupKey, MetricsGroup } from "./metrics_partial.ts";

/** Groups that spans were found in, and by place of the key the group's place among them; -1 where there is none. */
interface Grouped<Group> {
  groups: Group[];
  places: Int32Array;
}

/** @param levels attributes that spans are grouped by */
export function groupsOf(part: SeriesPart, levels: number): Grouped<MetricsGroup> {
  const groups: MetricsGroup[] = [];
  const places = new Int32Array(part.keyEnds.length).fill(-1);
  for (const { group, cells } of cellsByGroup(part)) {
    places[group] = groups.length;
    groups.push({ key: new KeyReader(part, group).parts(levels), cells });
  }
  return { groups, places };
}

/** The same of a comparison: the last bits of a slot tell the side. */
export function comparedGroupsOf(part: SeriesPart): CompareGroup[] {
  return [...cellsByGroup(part)].flatMap(({ group, cells }) => {
    const { attribute, value } = new KeyReader(part, group).compared();
    return ([0, 1] as const).flatMap((side) => {
      const own = ofSide(cells, side);
      return own.slots.length === 0 ? [] : [{ side: sideOf(side), attribute, value, cells: own }];
    });
  });
}

/** @param number as the core tells the sides */
export function sideOf(number: number): CompareSide {
  return number === 1 ? "selection" : "baseline";
}

function ofSide({ slots, counts, values }: Cells, side: number): Cells {
  const bucketMask = (1 << bucketBits) - 1;
  const places = [...slots.keys()].filter((i) => (slots[i]! & bucketMask) === side);
  return {
    slots: Uint32Array.from(places, (i) => slots[i]! - side),
    counts: Float64Array.from(places, (i) => counts[i]!),
    values,
  };
}

/** Cells put together by their group, those of a group in the order in which they were begun. */
function* cellsByGroup(part: SeriesPart): Generator<{ group: number; cells: Cells }> {
  const { cells, keyEnds } = part;
  const words = new Uint32Array(cells.buffer, cells.byteOffset, cells.length * 2);
  const ends = new Uint32Array(keyEnds.length);
  for (let i = 0; i < cells.length; i++) ends[words[i * 2 + 1]!]!++;
  for (let group = 1; group < ends.length; group++) ends[group]! += ends[group - 1]!;
  const next = new Uint32Array(ends.length);
  next.set(ends.subarray(0, ends.length - 1), 1);
  const starts = next.slice();
  const slots = new Uint32Array(cells.length);
  const counts = new Float64Array(cells.length);
  const values = new Float64Array(part.values.length);
  for (let i = 0; i < cells.length; i++) {
    const at = next[words[i * 2 + 1]!]!++;
    slots[at] = words[i * 2]!;
    counts[at] = part.counts[i]!;
    if (values.length > 0) values[at] = part.values[i]! + part.rests[i]!;
  }
  for (let group = 0; group < ends.length; group++) {
    const start = starts[group]!;
    const end = ends[group]!;
    if (start === end) continue;
    const ofGroup = { slots: slots.subarray(start, end), counts: counts.subarray(start, end) };
    yield { group, cells: { ...ofGroup, values: values.subarray(start, end) } };
  }
}

/** Reads the parts of one key: see writeGroupKeys() in wasm/series_groups.ts. */
class KeyReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor({ keys, keyEnds }: SeriesPart, group: number) {
    this.#bytes = keys.subarray(group === 0 ? 0 : keyEnds[group - 1]!, keyEnds[group]!);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length);
  }

  parts(count: number): GroupKey {
    return Array.from({ length: count }, () => this.#value());
  }

  compared(): Pick<CompareGroup, "attribute" | "value"> {
    const owner = Number(this.#int());
    const name =
      owner === Compared.Intrinsic
        ? intrinsicNames[Number(this.#int()) as keyof typeof intrinsicNames]
        : attributeName(owner, this.#text());
    const isRest = this.#bytes[this.#at] === otherValues;
    return { attribute: name, value: isRest ? "others" : this.#value() };
  }

  #value(): GroupValue | null {
    const type = this.#bytes[this.#at++]! as QueryType;
    switch (type) {
      case QueryType.String:
        return { type: "string", value: decoder.decode(this.#lengthBytes()) };
      case QueryType.Bool:
        return { type: "bool", value: this.#word() !== 0n };
      case QueryType.Int:
        return { type: "int", value: this.#word() };
      case QueryType.Double:
        return { type: "double", value: this.#double() };
      case QueryType.Duration:
        return { type: "duration", value: this.#word() };
      case QueryType.Status:
        return { type: "status", value: Number(this.#word()) };
      case QueryType.Kind:
        return { type: "kind", value: Number(this.#word()) };
      case QueryType.TraceId:
        return { type: "string", value: traceIdText(this.#take(16)) };
      case QueryType.SpanId:
        return { type: "string", value: spanIdText(this.#take(8)) };
      case QueryType.LinkTraceId:
        return { type: "string", value: traceIdText(this.#lengthBytes()) };
      case QueryType.LinkSpanId:
        return { type: "string", value: spanIdText(this.#lengthBytes()) };
      default:
        return null;
    }
  }

  /** A part that is known to be an int. */
  #int(): bigint {
    this.#at++;
    return this.#word();
  }

  #text(): string {
    this.#at++;
    return decoder.decode(this.#lengthBytes());
  }

  #word(): bigint {
    this.#at += 8;
    return this.#view.getBigInt64(this.#at - 8, true);
  }

  #double(): number {
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  #lengthBytes(): Uint8Array {
    this.#at += 4;
    return this.#take(this.#view.getUint32(this.#at - 4, true));
  }

  #take(length: number): Uint8Array {
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

const decoder = new TextDecoder();

const intrinsicNames = {
  [Field.Name]: "name",
  [Field.Kind]: "kind",
  [Field.Status]: "status",
  [Field.StatusMessage]: "statusMessage",
  [Field.RootName]: "rootName",
  [Field.RootService]: "rootServiceName",
  [Field.ScopeName]: "instrumentation:name",
  [Field.ScopeVersion]: "instrumentation:version",
} satisfies Partial<Record<Field, IntrinsicName>>;

const scopes: Partial<Record<Compared, Scope>> = {
  [Compared.Span]: "span",
  [Compared.Resource]: "resource",
  [Compared.Scope]: "instrumentation",
};

function attributeName(owner: Compared, name: string): string {
  const position = { line: 1, column: 1, offset: 0 };
  return printAttribute({ kind: "attribute", parent: false, scope: scopes[owner]!, name, position });
}
