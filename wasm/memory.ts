// Linear memory of one span batch: growable columns over power-of-two regions with free lists. One WASM instance holds one
// batch, so everything is a global, and dropping the instance frees all of it at once.

import { Column } from "./column_ids";

/** Column table: per column its address and its capacity in bytes, u32 each. */
const TABLE: usize = memory.data(<i32>Column.Count * 8);
/** Heads of the free lists by size class (log2 of the size). */
const FREE: usize = memory.data(32 * 4);
const MIN_CLASS: u32 = 8; // 256 bytes
const MAX_CLASS: u32 = 30; // 1 GiB: addresses are 32 bits wide
/** The memory grows by at least an eighth. */
const GROWTH_SHIFT: u64 = 3;
/** The last page stays unused: its end is no number of 32 bits. */
const ADDRESS_MAX: u64 = 0xffff0000;

let top: usize = 0;
/** Bytes of the regions that columns have grown out of and none has taken over. */
let freeBytes: u32 = 0;

/** Address of the column's first element; changes when the column grows. */
export function at(column: i32): usize {
  return <usize>load<u32>(TABLE + ((<usize>column) << 3));
}

export function capacity(column: i32): u32 {
  return load<u32>(TABLE + ((<usize>column) << 3), 4);
}

/** Makes room for `bytes` bytes in the column and keeps what is there. Traps when the memory's limit is reached. */
export function reserve(column: i32, bytes: u32): void {
  if (capacity(column) < bytes) grow(column, bytes);
}

function grow(column: i32, bytes: u32): void {
  const old = at(column);
  const oldBytes = capacity(column);
  let sizeClass: u32 = 32 - <u32>clz(bytes - 1);
  if (sizeClass < MIN_CLASS) sizeClass = MIN_CLASS;
  if (sizeClass > MAX_CLASS) unreachable();
  const address = takeRegion(sizeClass);
  if (oldBytes) {
    memory.copy(address, old, oldBytes);
    giveRegion(old, 31 - <u32>clz(oldBytes));
  }
  const entry = TABLE + ((<usize>column) << 3);
  store<u32>(entry, <u32>address);
  store<u32>(entry, 1 << sizeClass, 4);
}

function takeRegion(sizeClass: u32): usize {
  const head = FREE + ((<usize>sizeClass) << 2);
  const free = <usize>load<u32>(head);
  if (free) {
    store<u32>(head, load<u32>(free));
    freeBytes -= 1 << sizeClass;
    return free;
  }
  if (!top) top = (__heap_base + 15) & ~15;
  const address = top;
  const end = <u64>address + ((<u64>1) << sizeClass);
  if (end > ADDRESS_MAX) unreachable();
  if (end > (<u64>memory.size()) << 16) growMemory(min<u64>(end + (end >>> GROWTH_SHIFT), ADDRESS_MAX));
  top = <usize>end;
  return address;
}

/** Grows the linear memory to `bytes`. A runtime may copy all of it for that, so it is done in few, large steps. */
function growMemory(bytes: u64): void {
  const missing = <i32>((bytes + 0xffff) >>> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
}

/** Sets address space aside before the first column takes any. Pages that are never written cost no memory. */
export function reserveMemory(bytes: u32): void {
  growMemory(bytes);
}

function giveRegion(address: usize, sizeClass: u32): void {
  const head = FREE + ((<usize>sizeClass) << 2);
  store<u32>(address, load<u32>(head));
  store<u32>(head, <u32>address);
  freeBytes += 1 << sizeClass;
}

/** Address of a column, for a view from TypeScript. */
export function columnAddress(column: i32): usize {
  return at(column);
}

/** Room for `bytes` bytes in the column, for TypeScript to write into. Returns the column's address. */
export function reserveColumn(column: i32, bytes: u32): usize {
  reserve(column, bytes);
  return at(column);
}

/** Bytes of the columns that hold no rows (from Scratch0 on), and of free regions. */
export function workingBytes(): u32 {
  let bytes = freeBytes;
  for (let column: i32 = Column.Scratch0; column < Column.Count; column++) bytes += capacity(column);
  return bytes;
}
