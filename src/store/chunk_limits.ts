// What the cache of blocks on the local disk can hold. Chunks are as small as that because a cold lookup reads whole ones.

/** Of a chunk: what a page and its neighbours take, so that a lookup fetches little that it doesn't need. */
export const cacheChunkBytes = 64 << 10;
/** Chunks of all workers, by what is kept of each in memory: some 65 bytes. */
export const cacheChunksMax = 1 << 21;
export const cacheBytesMax = cacheChunksMax * cacheChunkBytes;
