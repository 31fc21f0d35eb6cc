// The Parquet encoder's functions in core.wasm, as wasm/parquet_encode.ts, wasm/merge.ts and wasm/bloom.ts export them.
import type { SpanBatch } from "../batch/span_batch.ts";

export interface EncodeCore {
  readonly memory: WebAssembly.Memory;
  orderedTraces(): number;
  mergeEqualResources(): number;
  distinctSpans(): number;
  strings(): number;
  internInput(length: number): number;
  resolveBlobs(noneText: number, arraysAsText: number): void;
  blobWithoutText(from: number): number;
  setBlobText(blob: number, text: number): void;
  eventCount(): number;
  internLinks(from: number, to: number): void;
  internEventValues(from: number, to: number): void;
  beginEncode(): void;
  addKeyColumn(owner: number, key: number, ofIntegers: number, takesArrays: number): number;
  rowGroupEnd(from: number, bytesMax: number): number;
  beginRowGroup(from: number, to: number, byService: number): void;
  beginAttributes(
    parent: number,
    target: number,
    owner: number,
    repetition: number,
    emptyDefinition: number,
  ): number;
  beginEvents(links: number, repetition: number, emptyDefinition: number): number;
  expand(from: number, to: number): void;
  levelsOf(structure: number): number;
  structureSlots(structure: number): number;
  beginLeaf(
    structure: number,
    source: number,
    column: number,
    owner: number,
    maxDefinition: number,
    maxRepetition: number,
  ): number;
  gather(from: number, to: number): void;
  leafSlotCount(): number;
  leafValueCount(): number;
  leafDefinition(): number;
  leafStringBytes(): number;
  leafIsSlices(): number;
  leafExtent(): void;
  idsAscend(): number;
  beginDictionary(): void;
  indexValues(from: number, to: number): number;
  dropDictionary(): void;
  writeDictionary(): number;
  endDictionary(): void;
  pageEnd(from: number, firstValue: number, slotsMax: number, bytesMax: number): number;
  encodePage(
    from: number,
    to: number,
    firstValue: number,
    encoder: number,
    order: number,
    indexWidth: number,
  ): number;
  pageResult(): number;
  beginBlooms(shards: number, bits: number): number;
  addToBlooms(from: number, to: number, shards: number, bits: number, hashes: number): void;
}

export function encodeCore(batch: SpanBatch): EncodeCore {
  return batch.core as unknown as EncodeCore;
}
