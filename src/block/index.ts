// The `index` object of a block: the last trace id of each row group.

/** @param lastIds 16 bytes each, in order */
export function printIndex(lastIds: Uint8Array[]): string {
  return JSON.stringify({ rowGroups: lastIds.map((id) => Buffer.from(id).toString("base64")) });
}
