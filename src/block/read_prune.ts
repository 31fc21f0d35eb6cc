// Which rows of a row group may matter to a query, from what can be known without reading values: statistics of the footer, dictionaries,
// bounds of pages. Rows are ruled out only where no span of them can be what is asked for.
import { Column } from "../../wasm/column_ids.ts";
import { Keep } from "../../wasm/parquet_decode_ids.ts";
import type { Necessary, TimeWindow } from "../search/projection.ts";
import { numberOf } from "./footer_bounds.ts";
import type { ReadCaches } from "./read_caches.ts";
import type { ReadLeaf } from "./read_columns.ts";
import type { Dictionary } from "./read_dictionary.ts";
import type { BlockFile, OpenFile } from "./read_file.ts";
import { wholeChunk } from "./read_group.ts";
import { decodeLeaf } from "./read_leaf.ts";
import { comparisonPlaces, existencePlaces, type Place } from "./read_places.ts";
import type { RowRange } from "./read_plan.ts";
import { type IntOrder, intTest, type LeafTest, mayHoldText, type TextTest } from "./read_predicate.ts";
import { intersectRows, joinRows, uniteRows } from "./read_rows.ts";

/** Entries of a dictionary that a pattern is held against; larger ones are left to the search itself. */
const entriesTestedMax = 8192;

/** Of an entry it is worth knowing the rows if less than one row in so many uses it, all entries being alike. */
const rareRatio = 16;
/** Column chunks that are read for that, of one row group. */
const probesMax = 4;
/** Rows between two that are wanted which are taken with them: a range costs more than a few rows. */
const rowGap = 4;

/** Times: unsigned, and told apart to the nanosecond. */
const ofTimes: IntOrder = { unsigned: true, exact: true };

export class RowPruner {
  readonly #file: BlockFile;
  readonly #caches: ReadCaches;
  readonly #open: OpenFile;
  readonly #group: number;
  readonly #all: RowRange[];
  #probes = 0;

  constructor(file: BlockFile, caches: ReadCaches, open: OpenFile, group: number) {
    this.#file = file;
    this.#caches = caches;
    this.#open = open;
    this.#group = group;
    const { rows } = open.file.rowGroups[group]!;
    this.#all = rows > 0 ? [{ start: 0, end: rows }] : [];
  }

  /** Rows, ascending, that may have what is necessary and overlap the window. */
  async rows(necessary: Necessary, window: TimeWindow | null): Promise<RowRange[]> {
    const within = window ? await this.#within(window) : this.#all;
    return within.length > 0 ? intersectRows(within, await this.#necessary(necessary)) : within;
  }

  async #within({ startNanos, endNanos }: TimeWindow): Promise<RowRange[]> {
    let rows = this.#all;
    for (const [column, op, nanos] of [
      [Column.TraceStart, "<=", endNanos],
      [Column.TraceEnd, ">=", startNanos],
    ] as const) {
      const read = this.#open.leaves.traces.find((leaf) => leaf.column === column);
      if (read) rows = intersectRows(rows, await this.#leafRows(read, intTest(op, nanos, ofTimes)));
    }
    return rows;
  }

  async #necessary(necessary: Necessary): Promise<RowRange[]> {
    switch (necessary.kind) {
      case "maybe":
        return this.#all;
      case "never":
        return [];
      case "all": {
        let rows = this.#all;
        for (const part of necessary.of) {
          if (rows.length === 0) break;
          rows = intersectRows(rows, await this.#necessary(part));
        }
        return rows;
      }
      case "any": {
        let rows: RowRange[] = [];
        for (const part of necessary.of) {
          if (covers(rows, this.#all)) break;
          rows = uniteRows(rows, await this.#necessary(part));
        }
        return rows;
      }
      case "comparison": {
        const { attribute, op, value } = necessary;
        return this.#anyPlace(comparisonPlaces(this.#open, this.#group, attribute, op, value));
      }
      case "existence":
        return this.#anyPlace(existencePlaces(this.#open, this.#group, necessary.attribute));
    }
  }

  async #anyPlace(places: Place[] | null): Promise<RowRange[]> {
    if (!places) return this.#all;
    let rows: RowRange[] = [];
    for (const { read, test, key } of places) {
      if (covers(rows, this.#all)) break;
      let found = key ? await this.#leafRows(key.read, key.test) : this.#all;
      if (found.length > 0) found = intersectRows(found, await this.#leafRows(read, test));
      rows = uniteRows(rows, found);
    }
    return rows;
  }

  /** Rows in which a leaf may have a value that passes the test. */
  async #leafRows(read: ReadLeaf, test: LeafTest): Promise<RowRange[]> {
    const { chunks } = this.#open.file.rowGroups[this.#group]!;
    const { index } = read.leaf;
    if (chunks.slots[index] === 0 || chunks.nulls[index] === chunks.slots[index]) return [];
    if (test.kind === "number") {
      const bounds = chunks.bounds.numbers(index);
      if (bounds && !test.mayHold(bounds.lowest, bounds.highest)) return [];
    } else if (test.kind === "text") {
      const bounds = chunks.bounds.texts(index);
      if (bounds && !mayHoldText(test, bounds)) return [];
      if (await this.#file.isIndexed(this.#open, this.#group, read.leaf)) {
        const dictionary = await this.#file.dictionary(this.#open, this.#group, read.leaf);
        if (dictionary) {
          const entry = findEntry(test, dictionary);
          if (entry === noEntry) return [];
          if (entry >= 0 && this.#isRare(read, dictionary)) return this.#entryRows(read, dictionary, entry);
        }
      }
    }
    return this.#pageRows(read, test);
  }

  /** Whether an entry of the dictionary is likely to be used by so few rows that it pays to find them. */
  #isRare({ leaf }: ReadLeaf, dictionary: Dictionary): boolean {
    const { rows, chunks } = this.#open.file.rowGroups[this.#group]!;
    const values = chunks.slots[leaf.index]! - Math.max(0, chunks.nulls[leaf.index]!);
    return values * rareRatio <= rows * dictionary.count && this.#probes++ < probesMax;
  }

  /** Rows that use an entry of a dictionary, and some near them. */
  async #entryRows(read: ReadLeaf, dictionary: Dictionary, entry: number): Promise<RowRange[]> {
    const batch = this.#caches.takeBatch();
    try {
      const chunk = await this.#file.data(this.#open, this.#group, read.leaf);
      batch.core.beginLeaves!();
      const pages = wholeChunk(this.#file, this.#open, this.#group, read.leaf, { ...chunk, dictionary });
      decodeLeaf(batch, { ...read, keep: Keep.Levels }, pages, "none");
      const count = batch.core.rowsOfIndex!(read.leaf.index, entry);
      const found: RowRange[] = [];
      for (const row of batch.u32(Column.Output, count)) {
        const last = found.at(-1);
        if (last && row <= last.end + rowGap) last.end = row + 1;
        else found.push({ start: row, end: row + 1 });
      }
      return found;
    } finally {
      this.#caches.giveBatch(batch);
    }
  }

  async #pageRows(read: ReadLeaf, test: LeafTest): Promise<RowRange[]> {
    const indexes = await this.#file.indexes(this.#open, this.#group, [read.leaf], new Set([read.leaf]));
    const { pages, nullPages, bounds } = indexes[read.leaf.index]!;
    if (!pages || !nullPages) return this.#all;
    const end = this.#open.file.rowGroups[this.#group]!.rows;
    const found: RowRange[] = [];
    for (let page = 0; page < nullPages.length; page++) {
      if (nullPages[page] === 1) continue;
      const lowest = bounds?.lowest[page];
      const highest = bounds?.highest[page];
      if (lowest && highest && !mayHoldPage(test, lowest, highest)) continue;
      const start = pages.firstRows[page]!;
      found.push({ start: Math.min(start, end), end: Math.min(pages.firstRows[page + 1] ?? end, end) });
    }
    return joinRows(found);
  }
}

function covers(rows: readonly RowRange[], all: readonly RowRange[]): boolean {
  return rows.length === 1 && all.length === 1 && rows[0]!.start === 0 && rows[0]!.end === all[0]!.end;
}

function mayHoldPage(test: LeafTest, lowest: Uint8Array, highest: Uint8Array): boolean {
  if (test.kind === "presence") return true;
  if (test.kind === "text") {
    // Two empty bounds are also what a writer leaves that gives none.
    if (lowest.length === 0 && highest.length === 0) return true;
    return mayHoldText(test, { lowest, highest });
  }
  const low = numberOf(lowest);
  const high = numberOf(highest);
  return low === null || high === null || test.mayHold(low, high);
}

/** In place of the number of an entry: there is none that fits, there may be any. */
const noEntry = -1;
const anyEntry = -2;

/** The only entry of a dictionary that fits. */
function findEntry({ op, match, literal, emptyIsAbsent }: TextTest, dictionary: Dictionary): number {
  if (op === "=") return emptyIsAbsent && literal.length === 0 ? noEntry : dictionary.indexOf(literal);
  if (dictionary.count > entriesTestedMax) return anyEntry;
  for (let i = 0; i < dictionary.count; i++) {
    const entry = dictionary.entry(i);
    if (match.test(entry) && !(emptyIsAbsent && entry.length === 0)) return anyEntry;
  }
  return noEntry;
}
