// Lists of tags as they travel from where they are found to whoever asked: sorted texts by what they are, names by the scope that
// they belong to, values by their type. However the data is divided, joining the lists of its parts gives the lists of the whole.
import type { TagNamesRequest, TagValuesRequest, TagValueType } from "../query/search_types.ts";
import type { AttributeOwner } from "./projection.ts";

/** Sorted by the bytes of UTF-8, each once. Kinds without any text are left out. */
export type TagLists<Kind extends string> = Partial<Record<Kind, string[]>>;
export type NameLists = TagLists<AttributeOwner>;
export type ValueLists = TagLists<TagValueType>;

/** What a list of stored blocks gave. */
export interface StoredLists<Kind extends string> {
  lists: TagLists<Kind>;
  /** Read from the store. */
  inspectedBytes: number;
  /** Whether all blocks were there. */
  isWhole: boolean;
}

/** What a request asks of each part of the data. Plain: it crosses to the workers. */
export type TagNamesQuery = Omit<TagNamesRequest, "tenants" | "start" | "end">;
export type TagValuesQuery = Omit<TagValuesRequest, "tenants" | "start" | "end">;
export type TagsQuery = Omit<TagNamesQuery, "scope">;

/** Bytes of texts of one answer, whatever the request allows. */
const answerBytesMax = 8 << 20;

export interface TagBounds {
  /** Texts of one kind. */
  perKind: number;
  /** Texts of all kinds. */
  total: number;
  /** Bytes of all texts. */
  bytes: number;
}

/** A request's limits on names hold for each scope. */
export function nameBounds({ limit, bytesMax }: { limit: number; bytesMax: number }): TagBounds {
  return {
    perKind: limit || Number.POSITIVE_INFINITY,
    total: Number.POSITIVE_INFINITY,
    bytes: bytesOf(bytesMax),
  };
}

/** Those on values hold for all types together. */
export function valueBounds({ limit, bytesMax }: TagsQuery): TagBounds {
  const total = limit || Number.POSITIVE_INFINITY;
  return { perKind: Number.POSITIVE_INFINITY, total, bytes: bytesOf(bytesMax) };
}

function bytesOf(bytesMax: number): number {
  return Math.min(bytesMax || answerBytesMax, answerBytesMax);
}

/** Texts that may wait to be joined. */
const waitingTextsMax = 100_000;

/** Joins the lists of parts, and keeps what comes first within the bounds. */
export class TagListsJoin<Kind extends string> {
  readonly #bounds: TagBounds;
  #parts: TagLists<Kind>[] = [];
  #waiting = 0;

  constructor(bounds: TagBounds) {
    this.#bounds = bounds;
  }

  add(lists: TagLists<Kind>): void {
    this.#parts.push(lists);
    for (const [, texts] of entries(lists)) this.#waiting += texts.length;
    if (this.#waiting > waitingTextsMax) {
      this.#parts = [this.part()];
      this.#waiting = 0;
    }
  }

  /** What is to be joined with the lists of other parts. */
  part(): TagLists<Kind> {
    return partOf(joinLists(this.#parts), this.#bounds);
  }

  whole(): TagLists<Kind> {
    return cutLists(joinLists(this.#parts), this.#bounds);
  }
}

function joinLists<Kind extends string>(parts: readonly TagLists<Kind>[]): TagLists<Kind> {
  const byKind = new Map<Kind, string[][]>();
  for (const part of parts) {
    for (const [kind, texts] of entries(part)) {
      const lists = byKind.get(kind);
      if (lists) lists.push(texts);
      else byKind.set(kind, [texts]);
    }
  }
  const joined: TagLists<Kind> = {};
  for (const [kind, lists] of byKind) {
    joined[kind] = lists.length === 1 ? lists[0]! : sortTexts([...new Set(lists.flat())]);
  }
  return joined;
}

/** Keeps what comes first within the bounds. */
export function cutLists<Kind extends string>(lists: TagLists<Kind>, bounds: TagBounds): TagLists<Kind> {
  if (fits(lists, bounds)) return lists;
  const cut: TagLists<Kind> = {};
  let total = 0;
  let bytes = 0;
  for (const [kind, text] of inOrder(lists)) {
    const kept = cut[kind] ?? [];
    if (kept.length >= bounds.perKind) continue;
    total++;
    bytes += Buffer.byteLength(text);
    if (total > bounds.total || bytes > bounds.bytes) break;
    kept.push(text);
    cut[kind] = kept;
  }
  return cut;
}

/**
 * Keeps of a part's lists what may be left when they have been joined with others: of each kind what comes first within the bounds,
 * and the first text that is too many, so that the joined lists end where they must.
 */
export function partOf<Kind extends string>(lists: TagLists<Kind>, bounds: TagBounds): TagLists<Kind> {
  if (fits(lists, bounds)) return lists;
  const countMax = Math.min(bounds.perKind, bounds.total);
  const part: TagLists<Kind> = {};
  for (const [kind, texts] of entries(lists)) {
    let count = 0;
    let bytes = 0;
    while (count < texts.length && count < countMax) {
      bytes += Buffer.byteLength(texts[count]!);
      if (bytes > bounds.bytes) break;
      count++;
    }
    part[kind] = texts.slice(0, count + 1);
  }
  return part;
}

/** Tells whether nothing of the lists has to go. */
export function fits<Kind extends string>(lists: TagLists<Kind>, bounds: TagBounds): boolean {
  let total = 0;
  let bytes = 0;
  for (const [, texts] of entries(lists)) {
    if (texts.length > bounds.perKind) return false;
    total += texts.length;
    for (const text of texts) bytes += Buffer.byteLength(text);
  }
  return total <= bounds.total && bytes <= bounds.bytes;
}

/** All texts, sorted over the kinds; equal ones by the name of their kind. */
export function* inOrder<Kind extends string>(lists: TagLists<Kind>): Generator<[Kind, string]> {
  const heads = entries(lists)
    .map(([kind, texts]) => ({ kind, texts, next: 0 }))
    .sort((a, b) => compareTexts(a.kind, b.kind));
  for (;;) {
    let first: (typeof heads)[number] | null = null;
    for (const head of heads) {
      if (head.next === head.texts.length) continue;
      if (first && compareTexts(first.texts[first.next]!, head.texts[head.next]!) <= 0) continue;
      first = head;
    }
    if (!first) return;
    yield [first.kind, first.texts[first.next++]!];
  }
}

/** Bytes that lists take in memory, about. */
export function listsBytes(lists: TagLists<string>): number {
  let bytes = 100;
  // A string has a header, and a place in its list. Most are of characters that take a byte.
  for (const [, texts] of entries(lists)) for (const text of texts) bytes += 32 + text.length;
  return bytes;
}

/** Sorts by the bytes of UTF-8, in place. */
export function sortTexts(texts: string[]): string[] {
  // The runtime's own order is that of UTF-16, which differs for characters that take two units.
  return texts.some((text) => surrogates.test(text)) ? texts.sort(compareTexts) : texts.sort();
}

const surrogates = /[\ud800-\udfff]/;

/** Compares as the bytes of UTF-8 do. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Halves of pairs stand for characters above all that take one unit. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

function entries<Kind extends string>(lists: TagLists<Kind>): [Kind, string[]][] {
  return Object.entries(lists) as [Kind, string[]][];
}
