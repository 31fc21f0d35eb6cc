// What an object store of the network does with one request each: the part that differs between them. RemoteStore makes a Store of it,
// and retries, hedging, time-outs and limits are wrappers around it (resilience.ts), the same for every such store.
//
// Keys are whole names, the prefix of the configuration included. Every call may be given up by its signal. Errors are StoreNotFound where
// an object is missing, ServiceError for whatever the service or the way to it says, with what that means for trying again.
import type { StoreRange } from "./store.ts";

export interface ObjectService {
  /** One page of names under a prefix, in order. */
  list(request: ListRequest, signal: AbortSignal): Promise<ListPage>;
  /** @param range the whole object if null; less is returned where the object ends before the range does. @throws StoreNotFound */
  get(key: string, range: StoreRange | null, signal: AbortSignal): Promise<FoundObject>;
  /** @throws StoreNotFound */
  head(key: string, signal: AbortSignal): Promise<ObjectFacts>;
  /** Writes an object. Returns its tag; null if the condition does not hold. */
  put(key: string, bytes: Uint8Array, condition: WriteCondition, signal: AbortSignal): Promise<string | null>;
  /** Deletes objects, at most deleteKeysMax of them; those that are missing are no error. */
  delete(keys: readonly string[], signal: AbortSignal): Promise<void>;
  /** Begins an object that comes in parts. */
  startUpload(key: string, signal: AbortSignal): Promise<Upload>;
  /** @param number from 1. @returns the part's tag */
  uploadPart(upload: Upload, number: number, bytes: Uint8Array, signal: AbortSignal): Promise<string>;
  /** Makes an object of its parts. */
  completeUpload(upload: Upload, parts: readonly UploadedPart[], signal: AbortSignal): Promise<void>;
  abortUpload(upload: Upload, signal: AbortSignal): Promise<void>;
}

/** Keys that one request deletes. */
export const deleteKeysMax = 1000;

export interface ListRequest {
  /** Keys begin so. */
  prefix: string;
  /** Names end at the next "/" behind the prefix. */
  grouped: boolean;
  /** Only keys behind this one. */
  after?: string;
  /** Where the page before ended, in the service's own words. */
  next?: string;
}

export interface ListPage {
  /** Objects; if grouped, those without another "/". */
  keys: string[];
  /** If grouped: what keys have in common up to that "/", which is the last character. */
  prefixes: string[];
  /** Null if this is the last page. */
  next: string | null;
}

export interface ObjectFacts {
  bytes: number;
  tag: string;
  /** ms since the epoch. */
  modifiedMs: number;
}

export interface FoundObject {
  bytes: Uint8Array;
  tag: string;
}

/** What must hold for a write: nothing, that there is no such object, or that it has this tag. */
export type WriteCondition = "none" | "absent" | { tag: string };

export interface Upload {
  key: string;
  id: string;
}

export interface UploadedPart {
  number: number;
  tag: string;
  bytes: number;
}
