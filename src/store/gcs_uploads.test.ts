// Resumable uploads against a service that loses answers, keeps less than it was sent, and forgets.
import { describe, expect, test } from "bun:test";
import { type Asked, type ScriptedAnswer, scriptedGcs } from "./gcs_service_fixture.ts";
import { resilient } from "./resilience.ts";

const quantum = 256 << 10;
const never = () => new AbortController().signal;
const lost = () => Object.assign(new Error("reset"), { code: "ECONNRESET" });
const begun: ScriptedAnswer = {
  headers: {
    location: "https://elsewhere.example/upload/storage/v1/b/refused/o?uploadType=resumable&upload_id=u",
  },
};
const keeps = (bytes: number): ScriptedAnswer => ({
  status: 308,
  headers: bytes === 0 ? {} : { range: `bytes=0-${bytes - 1}` },
});
const part = new Uint8Array(2 * quantum).fill(97);
const rest = new TextEncoder().encode("123456789");
/** Worked out by a program of another hand: of the part, and of both. */
const partSum = "E1E5kA==";
const bothSum = "yEs7lw==";
const finished = (size: number, crc32c: string): ScriptedAnswer => ({
  body: { kind: "storage#object", size: `${size}`, generation: "7", crc32c },
});

/** An upload of the part and the rest, with the answers behind its begin; what was sent: the range, and how many bytes. */
async function upload(
  answers: (ScriptedAnswer | Error)[],
  parts: readonly Uint8Array[] = [part, rest],
): Promise<string[]> {
  const { service: once, asked } = scriptedGcs([begun, ...answers]);
  const clock = { after: (ms: number, then: () => void) => soon(ms, then) };
  const service = resilient(
    once,
    {
      retry: { attemptsMax: 3, backoffMsInitial: 1, backoffMsMax: 1 },
      hedge: { afterMs: 0, requestsMax: 1 },
    },
    { clock, random: () => 0 },
  );
  const started = await service.startUpload("k", never());
  const uploaded = [];
  for (const [i, bytes] of parts.entries()) {
    const buffer = bytes.slice();
    const tag = await service.uploadPart(started, i + 1, buffer, never());
    // As RemoteWriter does with it.
    buffer.fill(0);
    uploaded.push({ number: i + 1, tag, bytes: bytes.length });
  }
  await service.completeUpload(started, uploaded, never());
  return asked.slice(1).map(sentIn);
}

/** Pauses end at once, and no request is ever late. */
function soon(ms: number, then: () => void): () => void {
  if (ms > 1) return () => {};
  queueMicrotask(then);
  return () => {};
}

function sentIn({ headers, body }: Asked): string {
  return `${headers.get("content-range")}: ${body.length}`;
}

describe("GcsUploads", () => {
  test("sends whole quanta as they come, and the rest with the end", async () => {
    const both = 2 * quantum + 9;
    expect(await upload([keeps(2 * quantum), finished(both, bothSum)])).toEqual([
      `bytes 0-${2 * quantum - 1}/*: ${2 * quantum}`,
      `bytes ${2 * quantum}-${both - 1}/${both}: 9`,
    ]);
    // The last part may be whole quanta and more.
    const one = new Uint8Array([...part, ...rest]);
    expect(await upload([keeps(2 * quantum), finished(both, bothSum)], [one])).toEqual([
      `bytes 0-${2 * quantum - 1}/*: ${2 * quantum}`,
      `bytes ${2 * quantum}-${both - 1}/${both}: 9`,
    ]);
    // Or no more than them.
    expect(await upload([keeps(2 * quantum), finished(2 * quantum, partSum)], [part])).toEqual([
      `bytes 0-${2 * quantum - 1}/*: ${2 * quantum}`,
      `bytes */${2 * quantum}: 0`,
    ]);
  });

  test("goes to the service that is configured, whatever host the upload names", async () => {
    const { service, asked } = scriptedGcs([begun, keeps(2 * quantum)], {}, ["Bearer t"]);
    await service.uploadPart(await service.startUpload("k", never()), 1, part, never());
    expect(asked[1]!.url.href).toBe(
      "http://cert.dns/upload/storage/v1/b/refused/o?uploadType=resumable&upload_id=u",
    );
  });

  test("sends the remainder of what was kept in part", async () => {
    const both = 2 * quantum + 9;
    const answers = [keeps(quantum), keeps(2 * quantum), finished(both, bothSum)];
    expect(await upload(answers)).toEqual([
      `bytes 0-${2 * quantum - 1}/*: ${2 * quantum}`,
      `bytes ${quantum}-${2 * quantum - 1}/*: ${quantum}`,
      `bytes ${2 * quantum}-${both - 1}/${both}: 9`,
    ]);
  });

  test("asks what has arrived when an answer was lost", async () => {
    const both = 2 * quantum + 9;
    const first = `bytes 0-${2 * quantum - 1}/*: ${2 * quantum}`;
    const last = `bytes ${2 * quantum}-${both - 1}/${both}: 9`;
    const end = finished(both, bothSum);
    // All of the part, nothing of it, a half.
    expect(await upload([lost(), keeps(2 * quantum), end])).toEqual([first, "bytes */*: 0", last]);
    expect(await upload([lost(), keeps(0), keeps(2 * quantum), end])).toEqual([
      first,
      "bytes */*: 0",
      first,
      last,
    ]);
    expect(await upload([lost(), keeps(quantum), keeps(2 * quantum), end])).toEqual([
      first,
      "bytes */*: 0",
      `bytes ${quantum}-${2 * quantum - 1}/*: ${quantum}`,
      last,
    ]);
    // The end: it came, or it did not.
    expect(await upload([keeps(2 * quantum), lost(), end])).toEqual([first, last, `bytes */${both}: 0`]);
    expect(await upload([keeps(2 * quantum), lost(), keeps(2 * quantum), end])).toEqual([
      first,
      last,
      `bytes */${both}: 0`,
      last,
    ]);
    // Or came in part.
    expect(await upload([keeps(2 * quantum), { body: '{ "kind": "sto' }, end])).toEqual([
      first,
      last,
      `bytes */${both}: 0`,
    ]);
  });

  test("takes an object of the right size for done when the upload is gone after a lost answer", async () => {
    const both = 2 * quantum + 9;
    const facts = {
      kind: "storage#object",
      size: `${both}`,
      generation: "7",
      updated: "2026-01-01T00:00:00Z",
    };
    const sent = await upload([keeps(2 * quantum), lost(), { status: 410 }, { body: facts }]);
    expect(sent).toHaveLength(4);
    const other = { ...facts, size: "9" };
    await expect(upload([keeps(2 * quantum), lost(), { status: 404 }, { body: other }])).rejects.toThrow(
      "cannot end writing gs://refused/k: status 404, the upload is gone",
    );
  });

  test("fails where the service has lost what it had, or has something else", async () => {
    const forgets = [keeps(2 * quantum), ...Array.from({ length: 3 }, () => [lost(), keeps(quantum)]).flat()];
    await expect(upload(forgets)).rejects.toThrow(/cannot end writing gs:\/\/refused\/k: /);
    await expect(upload([{ status: 404 }])).rejects.toThrow(
      "cannot write part 1 of gs://refused/k: status 404",
    );
    await expect(upload([keeps(2 * quantum), finished(9, bothSum)])).rejects.toThrow(
      "the service has 9 with",
    );
    await expect(upload([keeps(2 * quantum), finished(2 * quantum + 9, partSum)])).rejects.toThrow(
      `sent ${2 * quantum + 9} bytes with CRC32C ${bothSum}, the service has ${2 * quantum + 9} with ${partSum}`,
    );
  });

  test("takes parts in order only, of whole quanta but for the last", async () => {
    const { service } = scriptedGcs([begun, keeps(2 * quantum)]);
    const started = await service.startUpload("k", never());
    await expect(service.uploadPart(started, 2, part, never())).rejects.toThrow("parts must come in order");
    await service.uploadPart(started, 1, rest, never());
    await expect(service.uploadPart(started, 2, part, never())).rejects.toThrow("parts must come in order");
  });

  test("gives up, whether the upload is still there or not", async () => {
    for (const status of [499, 204, 404, 410]) {
      const { service, asked } = scriptedGcs([begun, { status }]);
      await service.abortUpload(await service.startUpload("k", never()), never());
      expect(asked[1]!.method).toBe("DELETE");
    }
    const { service, asked } = scriptedGcs([begun, { status: 503 }, { status: 499 }]);
    const started = await service.startUpload("k", never());
    await expect(service.abortUpload(started, never())).rejects.toMatchObject({ mayRetry: true });
    await service.abortUpload(started, never());
    expect(asked).toHaveLength(3);
  });
});
