// The part of zstd-codec that is used; the package has no types of its own.
declare module "zstd-codec" {
  interface Streaming {
    decompress(bytes: Uint8Array, sizeHint: number): Uint8Array | null;
  }
  const codec: { ZstdCodec: { run(ready: (zstd: { Streaming: new () => Streaming }) => void): void } };
  export default codec;
}
