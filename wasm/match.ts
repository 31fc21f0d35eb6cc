// Matching strings in bulk: what TypeScript calls. A predicate is a program of bytes, written by src/search/match_program.ts:
// words of 32 bits, offsets counted from its start.

import { Column } from "./column_ids";
import { hashBytes, sameBytes } from "./dictionary";
import { beginFind, compareBytes, find } from "./match_find";
import { isUtf8, repairUtf8 } from "./match_utf8";
import { at, reserve } from "./memory";

/** Kinds of programs. A text is in the set of literals or fits one of the globs, and that is it … */
const EXACT: u32 = 0;
/** … or then the automaton decides, */
const AUTOMATON: u32 = 1;
/** … or someone else does. */
const ASK: u32 = 2;
/** The text's place before, at or behind the one literal. */
const ORDER: u32 = 3;

/** Verdicts beside 0 and 1. */
const ASKED: u32 = 2;

// Words of a program.
const KIND: usize = 0;
const NEGATED: usize = 4;
/** Of ORDER: bits 0, 1 and 2 for before, at and behind. */
const ORDERS: usize = 8;
const LITERALS: usize = 12;
/** Pairs of offset and length. */
const LITERAL_TABLE: usize = 16;
const GLOBS: usize = 20;
/** Offsets. */
const GLOB_TABLE: usize = 24;
const AUTOMATON_AT: usize = 28;

// Words of a glob: literals with gaps between them, each of no byte or more, or of one or more.
const PREFIX: usize = 0;
const PREFIX_LENGTH: usize = 4;
const SUFFIX: usize = 8;
const SUFFIX_LENGTH: usize = 12;
const SUFFIX_GAP: usize = 16;
/** Bytes that a text has at least. */
const SHORTEST: usize = 20;
/** Literals between the first gap and the last, then each of them: offset, length, gap before it. */
const MIDDLES: usize = 24;
const FIRST_MIDDLE: usize = 28;
const MIDDLE_BYTES: usize = 12;

// Words of an automaton. A state is the offset of its row in the table: a state per class of bytes, then whether to accept.
const ROW_BYTES: usize = 0;
const START: usize = 4;
const CLASSES: usize = 8;
const TABLE: usize = 264;

/** Results of scanPlain(): bytes and entries that were passed over, verdict on the one that follows. */
const SCANNED: usize = memory.data(12, 4);

let program: usize = 0;
let slotMask: u32 = 0;

/** Takes the program in the column Match0. Of several literals it makes a hash table in Match1. */
export function loadMatch(): void {
  program = at(Column.Match0);
  const count = load<u32>(program, LITERALS);
  if (count < 2) return;
  let slots: u32 = 4;
  while (slots < count * 2) slots <<= 1;
  reserve(Column.Match1, slots << 2);
  memory.fill(at(Column.Match1), 0, slots << 2);
  slotMask = slots - 1;
  for (let i: u32 = 0; i < count; i++) {
    let slot = hashBytes(literal(i), literalLength(i)) & slotMask;
    while (load<u32>(at(Column.Match1) + ((<usize>slot) << 2))) slot = (slot + 1) & slotMask;
    store<u32>(at(Column.Match1) + ((<usize>slot) << 2), i + 1);
  }
}

function literal(i: u32): usize {
  return program + load<u32>(program + load<u32>(program, LITERAL_TABLE) + ((<usize>i) << 3));
}

function literalLength(i: u32): u32 {
  return load<u32>(program + load<u32>(program, LITERAL_TABLE) + ((<usize>i) << 3), 4);
}

function isLiteral(i: u32, from: usize, length: u32): bool {
  return literalLength(i) == length && sameBytes(literal(i), from, length);
}

function inLiterals(from: usize, length: u32): bool {
  const count = load<u32>(program, LITERALS);
  if (count == 0) return false;
  if (count == 1) return isLiteral(0, from, length);
  let slot = hashBytes(from, length) & slotMask;
  while (true) {
    const entry = load<u32>(at(Column.Match1) + ((<usize>slot) << 2));
    if (!entry) return false;
    if (isLiteral(entry - 1, from, length)) return true;
    slot = (slot + 1) & slotMask;
  }
}

function inGlobs(from: usize, length: u32): bool {
  const count = load<u32>(program, GLOBS);
  const table = program + load<u32>(program, GLOB_TABLE);
  for (let i: u32 = 0; i < count; i++) {
    if (inGlob(program + load<u32>(table + ((<usize>i) << 2)), from, length)) return true;
  }
  return false;
}

/** Each literal where it stands first: what fits further behind fits there as well. */
function inGlob(glob: usize, from: usize, length: u32): bool {
  if (length < load<u32>(glob, SHORTEST)) return false;
  const prefixLength = load<u32>(glob, PREFIX_LENGTH);
  if (prefixLength && !sameBytes(from, program + load<u32>(glob, PREFIX), prefixLength)) return false;
  const suffixLength = load<u32>(glob, SUFFIX_LENGTH);
  const end = from + length - suffixLength;
  if (suffixLength && !sameBytes(end, program + load<u32>(glob, SUFFIX), suffixLength)) return false;
  let p = from + prefixLength;
  const stop = glob + FIRST_MIDDLE + <usize>load<u32>(glob, MIDDLES) * MIDDLE_BYTES;
  for (let middle = glob + FIRST_MIDDLE; middle < stop; middle += MIDDLE_BYTES) {
    const size = load<u32>(middle, 4);
    p = find(p + load<u32>(middle, 8), end, program + load<u32>(middle), size);
    if (!p) return false;
    p += size;
  }
  return p + load<u32>(glob, SUFFIX_GAP) <= end;
}

/** The automaton knows whole characters only. */
function acceptsText(from: usize, length: u32): bool {
  if (isUtf8(from, length)) return accepts(from, from + length);
  const repaired = repairUtf8(from, length);
  beginFind();
  return accepts(at(Column.Match2), at(Column.Match2) + repaired);
}

function accepts(from: usize, end: usize): bool {
  const automaton = program + load<u32>(program, AUTOMATON_AT);
  const row = <usize>load<u32>(automaton, ROW_BYTES);
  const classes = automaton + CLASSES;
  const table = automaton + TABLE;
  let state = <usize>load<u32>(automaton, START);
  // From the first row nothing is accepted any more, from the second everything.
  for (let p = from; p < end && state > row; p++) {
    state = load<u32>(state + (table + ((<usize>load<u8>(classes + load<u8>(p))) << 2)));
  }
  return load<u32>(table + state + row - 4) != 0;
}

function verdict(from: usize, length: u32): u32 {
  const kind = load<u32>(program, KIND);
  const negated = load<u32>(program, NEGATED);
  if (kind == ORDER) {
    const order = compareBytes(from, length, literal(0), literalLength(0));
    return (load<u32>(program, ORDERS) >> (order < 0 ? 0 : order ? 2 : 1)) & 1;
  }
  if (!inLiterals(from, length) && !inGlobs(from, length)) return negated;
  if (kind == AUTOMATON) return <u32>acceptsText(from, length) ^ negated;
  return kind == ASK ? ASKED : 1 ^ negated;
}

/** Verdict on one text: 0, 1, or 2 for someone else to say. */
export function matchText(from: usize, length: u32): u32 {
  beginFind();
  return verdict(from, length);
}

/** Writes the verdict on each of the strings to `table`, a byte by string id. Returns how many are for someone else to say. */
export function matchStrings(ids: usize, count: u32, table: usize): u32 {
  beginFind();
  const ends = at(Column.StringEnd);
  const bytes = at(Column.StringBytes);
  let asked: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const id = load<u32>(ids + ((<usize>i) << 2));
    const start = id ? load<u32>(ends + ((<usize>(id - 1)) << 2)) : 0;
    const said = verdict(bytes + start, load<u32>(ends + ((<usize>id) << 2)) - start);
    store<u8>(table + id, said);
    asked += <u32>(said == ASKED);
  }
  return asked;
}

/**
 * Passes over texts in Parquet's PLAIN, of which `length` bytes and at most `count` are here, up to the first that fits or is for
 * someone else to say, or that is not here as a whole. Returns the address of the results.
 */
export function scanPlain(from: usize, length: u32, count: u32): usize {
  beginFind();
  let position: u32 = 0;
  let entries: u32 = 0;
  let said: u32 = 0;
  while (entries < count && length - position >= 4) {
    const size = load<u32>(from + position);
    if (size > length - position - 4) break;
    said = verdict(from + position + 4, size);
    if (said) break;
    position += size + 4;
    entries++;
  }
  store<u32>(SCANNED, position);
  store<u32>(SCANNED, entries, 4);
  store<u32>(SCANNED, said, 8);
  return SCANNED;
}
