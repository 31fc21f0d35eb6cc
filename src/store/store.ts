// Where blocks lie: named objects, written once and whole. One interface for the local disk and for object stores.
import type { Config } from "../config/config.ts";
import { openAzureStore } from "./azure_store.ts";
import { openGcsStore } from "./gcs_store.ts";
import { LocalStore } from "./local_store.ts";
import { openS3Store } from "./s3_store.ts";

export { StoreError, StoreNotFound } from "./store_error.ts";

/** Paths are relative, with "/" between their parts. */
export interface Store {
  /** Whether each request goes over a network: then one large one is better than several small ones, and several at once than in turn. */
  readonly remote: boolean;
  /** Names of the immediate "directories" under the prefix; "" is the root. None if there is no such prefix. */
  list(prefix: string): Promise<string[]>;
  /**
   * @param content of an object of a block what tells that from another block of the same id, for stores that remember: contentOf()
   * @throws StoreNotFound
   */
  read(path: string, content?: number): Promise<Uint8Array>;
  /** @throws StoreNotFound; StoreError if the object ends before the range does */
  readRange(path: string, offset: number, length: number): Promise<Uint8Array>;
  /**
   * Several ranges of one object.
   *
   * @param size length of the object where it is known, for stores that read what lies around the ranges too
   * @param content as of read()
   */
  readRanges(
    path: string,
    ranges: readonly StoreRange[],
    size?: number,
    content?: number,
  ): Promise<Uint8Array[]>;
  /** Replaces the object; readers see the old or the new bytes. */
  write(path: string, bytes: Uint8Array): Promise<void>;
  /** Writes an object piece by piece. It exists from close() on. */
  create(path: string): Promise<ObjectWriter>;
  /** Removes an object; one that is not there is no error. */
  delete(path: string): Promise<void>;
  /** Removes everything under the prefix. */
  deleteAll(prefix: string): Promise<void>;
  /** Removes what writes have left that were cut short before that time, in ms since the epoch, where nothing else does. */
  removeLeftovers(beforeMs: number): Promise<void>;
  /** When the object was last written, in ms since the epoch. @throws StoreNotFound */
  modified(path: string): Promise<number>;
  /** Length of the object in bytes. @throws StoreNotFound */
  size(path: string): Promise<number>;
  /** An object with its tag, which other bytes never have; null if there is none. */
  readTagged(path: string): Promise<TaggedObject | null>;
  /**
   * Writes an object if its tag still is this one; null: if there is none. For small objects that several processes change: of all that
   * have the same tag, one succeeds. Equal bytes may have equal tags, so that who must tell them apart puts something of his own in.
   * An object that is written so is written in no other way, and deleted once nobody writes it any more.
   *
   * @returns the new tag; null if it was not written
   * @throws StoreError if it is not known whether it was written
   */
  writeIf(path: string, bytes: Uint8Array, tag: string | null): Promise<string | null>;
}

export interface TaggedObject {
  bytes: Uint8Array;
  tag: string;
}

export interface StoreRange {
  offset: number;
  length: number;
}

export interface ObjectWriter {
  /** Consumes or copies the bytes before it resolves or returns. */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Makes the object visible. */
  close(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

/** Opens the store that the configuration names. */
export function openStore({ storage: { trace } }: Config): Store {
  switch (trace.backend) {
    case "s3":
      return openS3Store(trace.s3);
    case "gcs":
      return openGcsStore(trace.gcs);
    case "azure":
      return openAzureStore(trace.azure);
    case "local":
      return new LocalStore(trace.local.path);
  }
}

/** Where that store is, for people. */
export function placeOfStore({ storage: { trace } }: Config): string {
  switch (trace.backend) {
    case "s3":
      return `s3://${trace.s3.bucket}/${trace.s3.prefix}`;
    case "gcs":
      return `gs://${trace.gcs.bucket_name}/${trace.gcs.prefix}`;
    case "azure":
      return `azure://${trace.azure.container_name}/${trace.azure.prefix}`;
    case "local":
      return trace.local.path;
  }
}
