import { expect, test } from "bun:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { rpcCompressions } from "./rpc_compression.ts";

test.each(rpcCompressions.map((compression) => [compression.name, compression] as const))(
  "%s gives back what it was given, and no more than is allowed",
  async (_, { compress, decompress }) => {
    for (const length of [0, 1, 65_536, 200_001]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i * 7);
      const compressed = await compress(bytes);
      expect(await decompress(compressed, length + 1)).toEqual(bytes);
    }
    const large = await compress(new Uint8Array(200_000));
    const error = await decompress(large, 100_000).catch((failure) => ConnectError.from(failure));
    expect([Code.ResourceExhausted, Code.InvalidArgument]).toContain((error as ConnectError).code);
    const broken = await decompress(Uint8Array.from([1, 2, 3, 4, 5]), 10).catch((failure) =>
      ConnectError.from(failure),
    );
    expect(broken).toMatchObject({ code: Code.InvalidArgument });
  },
);

test("snappy writes the framing format with its checksum", async () => {
  const snappy = rpcCompressions.find(({ name }) => name === "snappy")!;
  // RFC 3720 B.4 gives 0x8a9136aa as the CRC-32C of 32 zero bytes; masked: rotated right by 15 plus 0xa282ead8.
  const rotated = ((0x8a9136aa >>> 15) | (0x8a9136aa << 17)) >>> 0;
  const masked = Buffer.alloc(4);
  masked.writeUInt32LE((rotated + 0xa282ead8) % 2 ** 32);
  const expected = Buffer.concat([
    Buffer.from("ff060000734e6150705901240000", "hex"),
    masked,
    Buffer.alloc(32),
  ]);
  expect(Buffer.from(await snappy.compress(new Uint8Array(32)))).toEqual(expected);
});
