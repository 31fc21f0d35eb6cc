// The tenant index, a tenant's metas in one object, so that not every process reads them one by one: `index.pb.zst`, and
// `index.json.gz` for those that know only that.

import { promisify } from "node:util";
import * as zlib from "node:zlib";
import type { BlockMeta } from "../block/meta.ts";
import type { CompactedBlock } from "./block_list.ts";
import { parseJsonIndex, printJsonIndex } from "./block_list_index_json.ts";
import { parseProtobufIndex, printProtobufIndex } from "./block_list_index_protobuf.ts";
import { readIfThere } from "./read_if_there.ts";
import type { Store } from "./store.ts";

export interface TenantIndex {
  /** ms since the epoch. */
  createdMs: number;
  live: BlockMeta[];
  compacted: CompactedBlock[];
}

/** An index that cannot be used. */
export class TenantIndexError extends Error {
  override name = "TenantIndexError";
}

/** Decompressed: a million blocks. */
const indexBytesMax = 2 ** 30;
/** Of the header of gzip: there is a file name, and no system that wrote it, as Go has it. */
const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 0xff]);
const gzipName = Buffer.from("index.json\0");
const gzipHeaderBytes = 10;

const protobufPath = (tenant: string) => `${tenant}/index.pb.zst`;
const jsonPath = (tenant: string) => `${tenant}/index.json.gz`;

/**
 * Reads the index of a tenant: the older form only where the newer one does not exist.
 *
 * @returns null if there is none
 * @throws TenantIndexError if it is damaged; StoreError
 */
export async function readTenantIndex(store: Store, tenant: string): Promise<TenantIndex | null> {
  const protobuf = await readIfThere(store, protobufPath(tenant));
  const json = protobuf ? null : await readIfThere(store, jsonPath(tenant));
  try {
    if (protobuf) return ofTenant(tenant, parseProtobufIndex(await unzstd(protobuf)));
    return json && ofTenant(tenant, parseJsonIndex(await gunzip(json)));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TenantIndexError(`tenant index of ${tenant}: ${reason}`, { cause });
  }
}

/** Writes both forms. The one that is preferred goes last, so that whoever finds it finds nothing newer in the other. */
export async function writeTenantIndex(store: Store, tenant: string, index: TenantIndex): Promise<void> {
  await store.write(jsonPath(tenant), await gzip(printJsonIndex(index)));
  await store.write(protobufPath(tenant), await zstd(printProtobufIndex(index)));
}

/** For a tenant that has no blocks left. */
export async function deleteTenantIndex(store: Store, tenant: string): Promise<void> {
  await store.delete(protobufPath(tenant));
  await store.delete(jsonPath(tenant));
}

/** The folder says whose blocks they are, as the bucket may have been copied under another name. */
function ofTenant(tenant: string, index: TenantIndex): TenantIndex {
  return {
    createdMs: index.createdMs,
    live: index.live.map((meta) => ({ ...meta, tenantID: tenant })),
    compacted: index.compacted.map(({ meta, compactedMs }) => ({
      meta: { ...meta, tenantID: tenant },
      compactedMs,
    })),
  };
}

function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  return promisify(zlib.gunzip)(bytes, { maxOutputLength: indexBytesMax });
}

/** With the name in the header, which node:zlib does not write. */
async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const whole = await promisify(zlib.gzip)(bytes);
  return Buffer.concat([gzipHeader, gzipName, whole.subarray(gzipHeaderBytes)]);
}

/** As a stream of frames of unknown length, which Tempo's are. */
function unzstd(bytes: Uint8Array): Promise<Uint8Array> {
  return promisify(zlib.zstdDecompress)(bytes, { maxOutputLength: indexBytesMax });
}

function zstd(bytes: Uint8Array): Promise<Uint8Array> {
  return promisify(zlib.zstdCompress)(bytes, { params: { [zlib.constants.ZSTD_c_checksumFlag]: 1 } });
}
