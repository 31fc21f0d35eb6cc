// A 3-wise binary fuse filter over trace ids (Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than Xor Filters"): each id has
// one place in each of three neighbouring segments of an array of 16-bit numbers, which are chosen so that the three together are the id's
// fingerprint. An id that was not given passes by chance alone, once in 65,536.
//
// An instance of its own, with raw memory: ids come in at INPUT, and the finished array lies at arrayAddress().

/** Filters that are asked at once, and four u32 for each: what it is, and then where the id is in it. */
const FILTERS_MAX: i32 = 512;
const FILTERS: usize = memory.data(FILTERS_MAX * 16, 8);
/** An id to be asked about. */
const ASKED: usize = memory.data(16, 8);
const ID_BYTES: usize = 16;
/** Ids at one place of the array that a byte can count beside the two bits that say which of their places it is. */
const COUNT_STEP: u32 = 4;
const COUNT_MAX: u32 = 252;

let seed: u64 = 0;
let segmentLength: u32 = 0;
/** Of all segments in which a first place may lie, in places. */
let firstPlaces: u32 = 0;

let h0: u32 = 0;
let h1: u32 = 0;
let h2: u32 = 0;
let print: u32 = 0;

// Where the working arrays of a construction lie.
let input: usize = 0;
let sums: usize = 0; // u64 by place: exclusive or of the hashes that have it
let counts: usize = 0; // u8 by place: how many, and the exclusive or of which of their places it is
let alone: usize = 0; // u32: places that one hash has to itself
let order: usize = 0; // u64: hashes in the order in which they were taken off
let orderPlace: usize = 0; // u8: which of its places each had to itself
let array: usize = 0; // u16 by place

/** Sets the shape and the seed that everything below works with. */
function useShape(seedLow: u32, seedHigh: u32, length: u32, segments: u32): void {
  seed = <u64>seedLow | ((<u64>seedHigh) << 32);
  segmentLength = length;
  firstPlaces = length * segments;
}

export function askedAddress(): usize {
  return ASKED;
}

export function filtersAddress(): usize {
  return FILTERS;
}

export function arrayAddress(): usize {
  return array;
}

/** Room for `ids` ids and what it takes to make a filter of `places` of them. Returns where the ids go. */
export function makeRoom(ids: u32, places: u32): usize {
  input = (__heap_base + 15) & ~15;
  order = input + <usize>ids * ID_BYTES;
  sums = order + ((<usize>ids) << 3);
  alone = sums + ((<usize>places) << 3);
  array = alone + ((<usize>places) << 2);
  counts = array + ((<usize>places) << 1);
  orderPlace = counts + <usize>places;
  const end = orderPlace + <usize>ids;
  const missing = <i32>((end + 0xffff) >>> 16) - memory.size();
  if (missing > 0 && memory.grow(missing) < 0) unreachable();
  return input;
}

/** The finaliser of splitmix64. */
function mix(value: u64): u64 {
  let h = value ^ (value >>> 30);
  h *= 0xbf58476d1ce4e5b9;
  h ^= h >>> 27;
  h *= 0x94d049bb133111eb;
  return h ^ (h >>> 31);
}

/** Ids come from clients: without the seed they could be chosen to meet. */
function hashOf(id: usize): u64 {
  return mix(load<u64>(id) ^ mix(load<u64>(id, 8) ^ seed));
}

function locate(hash: u64): void {
  const mask = segmentLength - 1;
  h0 = <u32>(((hash >>> 32) * <u64>firstPlaces) >>> 32);
  h1 = (h0 + segmentLength) ^ (<u32>(hash >>> 18) & mask);
  h2 = (h0 + (segmentLength << 1)) ^ (<u32>hash & mask);
  print = <u32>(hash ^ (hash >>> 32)) & 0xffff;
}

/**
 * Finds the asked id's place in each of the first filters.
 *
 * Of each there are seed, segment length and segments, and afterwards the three places in its array and the fingerprint.
 */
export function locateInFilters(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const filter = FILTERS + ((<usize>i) << 4);
    useShape(load<u32>(filter), load<u32>(filter, 4), load<u32>(filter, 8), load<u32>(filter, 12));
    locate(hashOf(ASKED));
    store<u32>(filter, h0);
    store<u32>(filter, h1, 4);
    store<u32>(filter, h2, 8);
    store<u32>(filter, print, 12);
  }
}

function countAt(at: u32): u32 {
  return <u32>load<u8>(counts + <usize>at);
}

/** Adds a hash to one of its places, or takes it off. False if so many ids have the place that they can't be counted. */
function toggle(at: u32, hash: u64, which: u32, step: i32): bool {
  const count = countAt(at);
  if (step > 0 && count >= COUNT_MAX) return false;
  store<u8>(counts + <usize>at, <u8>((count + <u32>(step * <i32>COUNT_STEP)) ^ which));
  const sum = sums + ((<usize>at) << 3);
  store<u64>(sum, load<u64>(sum) ^ hash);
  return true;
}

function placeOf(which: u32): u32 {
  return which == 0 ? h0 : which == 1 ? h1 : h2;
}

/**
 * Makes the filter of `ids` ids at the input, ascending, for which there is room.
 *
 * @returns 0 if it can't be made with this seed
 */
export function construct(ids: u32, seedLow: u32, seedHigh: u32, length: u32, segments: u32): u32 {
  useShape(seedLow, seedHigh, length, segments);
  const places = length * (segments + 2);
  memory.fill(sums, 0, (<usize>places) << 3);
  memory.fill(counts, 0, <usize>places);
  memory.fill(array, 0, (<usize>places) << 1);
  let distinct: u32 = 0;
  for (let i: u32 = 0; i < ids; i++) {
    const id = input + <usize>i * ID_BYTES;
    // Rows of one trace follow each other, where a writer has not joined them.
    if (i && load<u64>(id) == load<u64>(id - ID_BYTES) && load<u64>(id, 8) == load<u64>(id - ID_BYTES, 8))
      continue;
    const hash = hashOf(id);
    distinct++;
    locate(hash);
    if (!toggle(h0, hash, 0, 1) || !toggle(h1, hash, 1, 1) || !toggle(h2, hash, 2, 1)) return 0;
  }
  return peel(distinct, places) ? assign(distinct) : 0;
}

/** Takes off, again and again, an id that has a place to itself. Only if all go this way can their numbers be chosen. */
function peel(distinct: u32, places: u32): bool {
  let waiting: u32 = 0;
  for (let at: u32 = 0; at < places; at++) {
    store<u32>(alone + ((<usize>waiting) << 2), at);
    if (countAt(at) >>> 2 == 1) waiting++;
  }
  let taken: u32 = 0;
  while (waiting) {
    const at = load<u32>(alone + ((<usize>(waiting - 1)) << 2));
    waiting--;
    const count = countAt(at);
    if (count >>> 2 != 1) continue;
    const hash = load<u64>(sums + ((<usize>at) << 3));
    const which = count & 3;
    store<u64>(order + ((<usize>taken) << 3), hash);
    store<u8>(orderPlace + <usize>taken, <u8>which);
    taken++;
    locate(hash);
    for (let other: u32 = 0; other < 3; other++) {
      const next = placeOf(other);
      toggle(next, hash, other, -1);
      if (other != which && countAt(next) >>> 2 == 1) {
        store<u32>(alone + ((<usize>waiting) << 2), next);
        waiting++;
      }
    }
  }
  return taken == distinct;
}

/** In the reverse order the place that an id had to itself is still free. */
function assign(distinct: u32): u32 {
  for (let i = distinct; i-- > 0; ) {
    const which = <u32>load<u8>(orderPlace + <usize>i);
    locate(load<u64>(order + ((<usize>i) << 3)));
    const rest = print ^ numberAt(h0) ^ numberAt(h1) ^ numberAt(h2);
    // The place itself still holds 0.
    store<u16>(array + ((<usize>placeOf(which)) << 1), <u16>rest);
  }
  return 1;
}

function numberAt(at: u32): u32 {
  return <u32>load<u16>(array + ((<usize>at) << 1));
}

/** Whether each of the ids at the input passes the filter that was made last. */
export function holdsAll(ids: u32): u32 {
  for (let i: u32 = 0; i < ids; i++) {
    locate(hashOf(input + <usize>i * ID_BYTES));
    if (print ^ numberAt(h0) ^ numberAt(h1) ^ numberAt(h2)) return 0;
  }
  return 1;
}
