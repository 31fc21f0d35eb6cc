// Which blocks are merged next: Tempo's selection by time windows. Of what ended within a day, blocks of one level are merged with each
// other; of what is older, all blocks of a window.
import type { DedicatedColumn } from "../block/dedicated.ts";
import type { BlockMeta } from "../block/meta.ts";
import { xxh64Of } from "../shard/hash.ts";

const activeMs = 24 * 3600 * 1000;
/** For so much of a window longer than it lasts its blocks are written: spans come late, and heads are cut later still. */
const fillingShare = 1 / 4;
/** Between the fields of a dedicated column. */
const separator = Uint8Array.of(0xff);

export interface SelectOptions {
  windowMs: number;
  inputBlocksMin: number;
  inputBlocksMax: number;
  /** Traces of the inputs together. */
  objectsMax: number;
  /** Bytes of the inputs together. */
  blockBytesMax: number;
  /** Blocks of this level are merged no more; 0: no limit. */
  levelMax: number;
  /** Formats of the blocks that can be merged. */
  versions: ReadonlySet<string>;
}

const utf8 = new TextEncoder();

interface Entry {
  meta: BlockMeta;
  group: string;
  order: string;
  hash: string;
}

/**
 * Selects blocks of one tenant.
 *
 * @param nowMs Unix ms
 * @returns lists of inputs, those that are to be merged first at the beginning; no block is in two of them
 */
export function selectBlocks(
  metas: readonly BlockMeta[],
  options: SelectOptions,
  nowMs: number,
): BlockMeta[][] {
  const entries = entriesOf(metas, options, nowMs);
  const selected: BlockMeta[][] = [];
  for (let first = 0; first < entries.length; ) {
    const end = stripeEnd(entries, first, options);
    if (end - first < 2) {
      first++;
      continue;
    }
    if (end - first >= options.inputBlocksMin)
      selected.push(entries.slice(first, end).map(({ meta }) => meta));
    first = end;
  }
  return selected;
}

/**
 * Those of selected lists that are worth merging now. Of a window that is still filling it is only lists with as many blocks as there may
 * be: a shorter one would be merged again with the blocks that come next, and those with the next again.
 *
 * @param nowMs Unix ms
 */
export function ripeLists(
  selected: readonly BlockMeta[][],
  { windowMs, inputBlocksMax }: SelectOptions,
  nowMs: number,
): BlockMeta[][] {
  return selected.filter((list) => {
    const window = Math.floor(Date.parse(list[0]!.endTime) / windowMs);
    const isOver = (window + 1 + fillingShare) * windowMs <= nowMs;
    // Of clocks that are that far ahead blocks keep coming, into window after window; to wait for its end would be to wait for ever.
    const isAhead = window * windowMs > nowMs + windowMs;
    return list.length >= inputBlocksMax || isOver || isAhead;
  });
}

/** What may be merged, in the order in which it is looked at. */
function entriesOf(metas: readonly BlockMeta[], options: SelectOptions, nowMs: number): Entry[] {
  const windowOf = (ms: number) => Math.floor(Math.floor(ms / 1000) / (options.windowMs / 1000));
  const current = windowOf(nowMs);
  const active = windowOf(nowMs - activeMs);
  const entries: Entry[] = [];
  for (const meta of metas) {
    const { format, compactionLevel: level, totalObjects, replicationFactor } = meta;
    const window = windowOf(Date.parse(meta.endTime));
    // What leaves the active windows is left alone for one: processes whose clocks differ would treat it in both ways.
    if (Number.isNaN(window) || window === active) continue;
    if (!options.versions.has(format) || (options.levelMax > 0 && level >= options.levelMax)) continue;
    const hash = knownHash(meta.dedicatedColumns);
    const rest = `${hex16(totalObjects)}-${format}-${hash}`;
    const age = `${hex16(current - window)}-${replicationFactor}`;
    entries.push(
      window > active
        ? { meta, group: `A-${level}-${age}`, order: rest, hash }
        : { meta, group: `B-${age}`, order: `${level}-${rest}`, hash },
    );
  }
  return entries.sort((a, b) => compare(a.group, b.group) || compare(a.order, b.order));
}

/** Where the entries end that are merged with the first one. */
function stripeEnd(entries: readonly Entry[], first: number, options: SelectOptions): number {
  const { meta, group, hash } = entries[first]!;
  let objects = meta.totalObjects;
  let bytes = meta.size;
  let end = first + 1;
  for (; end < entries.length && end - first < options.inputBlocksMax; end++) {
    const next = entries[end]!;
    objects += next.meta.totalObjects;
    bytes += next.meta.size;
    if (next.group !== group || next.meta.format !== meta.format || next.hash !== hash) break;
    if (objects > options.objectsMax || bytes > options.blockBytesMax) break;
  }
  return end;
}

/** Of the columns of listed metas, which stay the same objects: every block is looked at for every merge. */
const hashes = new WeakMap<readonly DedicatedColumn[], string>();

function knownHash(columns: readonly DedicatedColumn[]): string {
  let hash = hashes.get(columns);
  if (hash === undefined) {
    hash = dedicatedHash(columns);
    hashes.set(columns, hash);
  }
  return hash;
}

/** As Tempo hashes them, 16 digits. */
export function dedicatedHash(columns: readonly DedicatedColumn[]): string {
  if (columns.length === 0) return hex16(0);
  const parts = columns.flatMap(({ scope, name, type, options }) => [
    utf8.encode(scope),
    ...[name, type, ...options].flatMap((part) => [separator, utf8.encode(part)]),
  ]);
  return Buffer.from(xxh64Of(...parts))
    .toString("hex")
    .toUpperCase();
}

/** As Go prints a number with %016X: the sign is one of the 16 places. */
function hex16(value: number): string {
  const digits = Math.abs(value).toString(16).toUpperCase();
  return value < 0 ? `-${digits.padStart(15, "0")}` : digits.padStart(16, "0");
}

/** By bytes, as Go compares; the texts are ASCII. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
