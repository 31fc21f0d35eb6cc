// The file operations that the WAL rests on, in one place so that tests can make each of them fail.

import * as fs from "node:fs";

export interface WalFiles {
  open(path: string, mode: "create" | "append"): number;
  /** Writes all buffers one after the other at a position; may write less than all and say so. */
  write(file: number, buffers: Uint8Array[], position: number): number;
  truncate(file: number, length: number): void;
  sync(file: number): void;
  syncLater(file: number): Promise<void>;
  close(file: number): void;
  remove(path: string): void;
  /** Makes a directory's entries durable. */
  syncDirectory(path: string): void;
}

export const walFiles: WalFiles = {
  open: (path, mode) => fs.openSync(path, mode === "create" ? "wx" : "r+"),
  write: (file, buffers, position) => fs.writevSync(file, buffers, position),
  truncate: (file, length) => fs.ftruncateSync(file, length),
  sync: (file) => fs.fdatasyncSync(file),
  syncLater: (file) =>
    new Promise((resolve, reject) => fs.fdatasync(file, (error) => (error ? reject(error) : resolve()))),
  close: (file) => fs.closeSync(file),
  remove: (path) => fs.rmSync(path, { force: true }),
  syncDirectory: (path) => {
    const file = fs.openSync(path, "r");
    try {
      fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  },
};
