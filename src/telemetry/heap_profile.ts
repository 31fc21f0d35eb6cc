// What lives on the calling thread's JavaScript heap, by kind and class, from the runtime's heap snapshot. WASM memory
// and array buffers are counted where a view on them lives.
import type { Frame, Sample, ThreadProfile } from "./pprof.ts";

/**
 * Takes a snapshot, which collects garbage first, and stops the thread for about half a second per 300,000 objects.
 *
 * @returns samples with two values: objects, and their bytes
 */
export async function profileHeap(): Promise<ThreadProfile> {
  const { getHeapSnapshot } = await import("node:v8"); // 2 MB in every thread that loads it
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk as Buffer | string));
  return fromSnapshot(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
}

interface SnapshotHead {
  meta: { node_fields: string[]; node_types: [string[], ...unknown[]] };
}

/** Kinds whose names are contents, not classes. */
const unnamedKinds = /string|number|symbol|bigint|regexp/;

/**
 * Adds up a V8 heap snapshot (JSON, as JavaScriptCore writes it too). It is read in place, number by number: as
 * JavaScript objects a snapshot would take several times the memory that it describes.
 */
export function fromSnapshot(json: Buffer): ThreadProfile {
  const headStart = valueStart(json, "snapshot", 0);
  const nodesStart = valueStart(json, "nodes", headStart);
  // The head is an object that ends before the comma that ends it and the quote of "nodes".
  const headEnd = json.lastIndexOf("}", nodesStart) + 1;
  const { meta } = JSON.parse(json.toString("utf8", headStart, headEnd)) as SnapshotHead;
  const fields = meta.node_fields.length;
  const [typeAt, nameAt, sizeAt] = ["type", "name", "self_size"].map((name) =>
    meta.node_fields.indexOf(name),
  ) as [number, number, number];
  const types = meta.node_types[typeAt] as string[];

  // Sums per kind and name: a map from kind * 2^32 + index of the name.
  const sums = new Map<number, { objects: number; bytes: number }>();
  const node = new Float64Array(fields);
  let at = nodesStart + 1;
  for (let field = 0, value = 0, digits = 0; ; at++) {
    const byte = json[at];
    if (byte === undefined) throw new Error("heap snapshot: ends within its nodes");
    if (byte >= 48 && byte <= 57) {
      value = value * 10 + byte - 48;
      digits++;
    } else if (byte === 44 /* , */ || byte === 93 /* ] */) {
      if (digits > 0) {
        node[field++] = value;
        if (field === fields) {
          const kind = node[typeAt]!;
          const key = kind * 2 ** 32 + (unnamedKinds.test(types[kind]!) ? 0 : node[nameAt]! + 1);
          const sum = sums.get(key);
          if (sum) {
            sum.objects++;
            sum.bytes += node[sizeAt]!;
          } else sums.set(key, { objects: 1, bytes: node[sizeAt]! });
          field = 0;
        }
      }
      value = 0;
      digits = 0;
      if (byte === 93) break;
    }
  }

  const names = readStrings(
    json,
    valueStart(json, "strings", at),
    new Set([...sums.keys()].map((key) => (key % 2 ** 32) - 1)),
  );
  const frames: Frame[] = [];
  const samples: Sample[] = [];
  const kinds = types.map((type) => frames.push({ name: `(${type})`, file: "", line: 0 }) - 1);
  for (const [key, { objects, bytes }] of sums) {
    const kind = kinds[Math.floor(key / 2 ** 32)]!;
    const name = (key % 2 ** 32) - 1;
    const stack =
      name < 0
        ? [kind]
        : [frames.push({ name: names.get(name) || "(unnamed)", file: "", line: 0 }) - 1, kind];
    samples.push({ stack, values: [objects, bytes] });
  }
  return { frames, samples };
}

/** Where the value of a key begins; keys before it must not hold the same text. */
function valueStart(json: Buffer, key: string, from: number): number {
  const found = json.indexOf(`"${key}":`, from);
  if (found < 0) throw new Error(`heap snapshot: no ${key}`);
  let at = found + key.length + 3;
  while (json[at]! <= 32) at++;
  return at;
}

/** A class name longer than this is cut. */
const nameBytesMax = 200;

/** Reads the strings with the given indexes out of the array that begins at `at`. */
function readStrings(json: Buffer, at: number, wanted: Set<number>): Map<number, string> {
  const found = new Map<number, string>();
  let i = at;
  for (let index = 0; found.size < wanted.size; index++) {
    const start = json.indexOf(34 /* " */, i);
    if (start < 0) break;
    let end = start + 1;
    while (end < json.length && json[end] !== 34) end += json[end] === 92 /* \ */ ? 2 : 1;
    if (wanted.has(index)) {
      const text = JSON.parse(json.toString("utf8", start, end + 1)) as string;
      found.set(index, text.length > nameBytesMax ? `${text.slice(0, nameBytesMax)}…` : text);
    }
    i = end + 1;
  }
  return found;
}
