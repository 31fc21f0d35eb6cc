// What Google Cloud Storage says, and what is made of it; a server has its say in test/gcs.test.ts.
import { describe, expect, test } from "bun:test";
import { type ScriptedAnswer, scriptedGcs } from "./gcs_service_fixture.ts";
import { StoreNotFound } from "./store_error.ts";

const never = () => new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);
const errorBody = (reason: string) => ({
  error: { code: 0, message: "so it is", errors: [{ domain: "global", reason, message: "so it is" }] },
});
const written = { body: { kind: "storage#object", generation: "1795678528468000" } };
/** CRC-32C of "123456789", as RFC 3720 and others give it: E3069283. */
const digits = "123456789";
const digitsSum = Buffer.from("e3069283", "hex").toString("base64");
const tagged = { "x-goog-generation": "7" };

describe("GcsService", () => {
  test("tells what may be tried again, and what may have been done", async () => {
    const cases: [ScriptedAnswer | Error, mayRetry: boolean, mayBeDone: boolean][] = [
      [{ status: 500, body: errorBody("internalError") }, true, true],
      [{ status: 502, body: "<html>" }, true, true],
      [{ status: 503, body: errorBody("backendError") }, true, true],
      [{ status: 504, body: "" }, true, true],
      [{ status: 408, body: errorBody("uploadBrokenConnection") }, true, true],
      [{ status: 429, body: errorBody("rateLimitExceeded") }, true, false],
      [{ status: 403, body: errorBody("userRateLimitExceeded") }, true, false],
      [{ status: 403, body: errorBody("forbidden") }, false, false],
      [{ status: 401, body: errorBody("authError") }, false, false],
      [{ status: 404, body: errorBody("notFound") }, false, false],
      [{ status: 400, body: errorBody("invalid") }, false, false],
      [{ status: 501, body: "" }, false, false],
      [Object.assign(new Error("reset"), { code: "ECONNRESET" }), true, true],
      [Object.assign(new Error("no"), { code: "ConnectionRefused" }), true, false],
      // A proxy's, or a part of an answer.
      [{ body: "<html>please log in</html>" }, true, true],
      [{ body: '{"kind":"storage#object","gener' }, true, true],
      [{ body: { kind: "storage#object" } }, true, true],
    ];
    for (const [answer, mayRetry, mayBeDone] of cases) {
      const { service } = scriptedGcs([answer]);
      const put = service.put("k", bytes("x"), "none", never());
      await expect(put, JSON.stringify(answer)).rejects.toMatchObject({ mayRetry, mayBeDone });
    }
  });

  test("says what the service says, of which bucket and object", async () => {
    const { service } = scriptedGcs([{ status: 403, body: errorBody("forbidden") }]);
    await expect(service.get("t/b/meta.json", null, never())).rejects.toThrow(
      "store: cannot read gs://refused/t/b/meta.json: status 403, forbidden: so it is",
    );
  });

  test("asks for another token when one is no longer taken", async () => {
    const { service, asked } = scriptedGcs([{ status: 401, body: errorBody("authError") }, written], {}, [
      "Bearer old",
      "Bearer new",
    ]);
    const put = () => service.put("k", bytes("x"), "none", never());
    await expect(put()).rejects.toMatchObject({ mayRetry: true, mayBeDone: false });
    await put();
    expect(asked.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer old", "Bearer new"]);
  });

  test("says what can't be sent without saying a secret", async () => {
    const error = await scriptedGcs([], {}, ["secret\ntoken"]).service.get("k", null, never()).catch(String);
    expect(error).toBe(
      "StoreError: store: the header authorization has characters that a request can't have",
    );
  });

  test("knows a missing object from a missing bucket", async () => {
    const missing = { status: 404, body: "No such object: refused/bucket" };
    await expect(scriptedGcs([missing]).service.get("bucket", null, never())).rejects.toBeInstanceOf(
      StoreNotFound,
    );
    await expect(scriptedGcs([missing]).service.head("k", never())).rejects.toBeInstanceOf(StoreNotFound);
    const message = "The specified bucket does not exist.";
    for (const body of [message, { error: { code: 404, message } }]) {
      const read = scriptedGcs([{ status: 404, body }]).service.get("k", null, never());
      await expect(read).rejects.toThrow("cannot read gs://refused/k: status 404, there is no such bucket");
      await expect(read).rejects.not.toBeInstanceOf(StoreNotFound);
    }
  });

  test("makes writes depend on what is there", async () => {
    const failed = { status: 412, body: errorBody("conditionNotMet") };
    const { service, asked } = scriptedGcs([written, written, failed, failed]);
    expect(await service.put("k", bytes("x"), "absent", never())).toBe("1795678528468000");
    await service.put("k", bytes("x"), { tag: "1795678528468000" }, never());
    expect(await service.put("k", bytes("x"), { tag: "1795678528468000" }, never())).toBeNull();
    // What is no generation must not be taken for 0, which stands for an object that is not there.
    expect(await service.put("k", bytes("x"), { tag: '"0000"' }, never())).toBeNull();
    const generations = asked.map(({ url }) => url.searchParams.get("ifGenerationMatch"));
    expect(generations).toEqual(["0", "1795678528468000", "1795678528468000", "1"]);
  });

  test("writes the bytes as they are, with a checksum and what is configured", async () => {
    const settings = { cacheControl: "no-store", metadata: { owner: "Zoë" } };
    const { service, asked } = scriptedGcs([written], settings);
    await service.put("a/ü b", bytes(digits), "none", never());
    const [{ url, headers, body }] = asked as [(typeof asked)[0]];
    expect(url.pathname).toBe("/upload/storage/v1/b/refused/o");
    expect(url.searchParams.get("uploadType")).toBe("multipart");
    expect(url.searchParams.has("ifGenerationMatch")).toBe(false);
    const boundary = /^multipart\/related; boundary=([\w-]+)$/.exec(headers.get("content-type")!)![1];
    const [before, object, content, after] = text(body).split(`--${boundary}`);
    expect([before, after]).toEqual(["", "--\r\n"]);
    expect(JSON.parse(object!.split("\r\n\r\n")[1]!)).toEqual({
      name: "a/ü b",
      contentType: "application/octet-stream",
      cacheControl: "no-store",
      metadata: { owner: "Zoë" },
      crc32c: digitsSum,
    });
    expect(content!.split("\r\n\r\n")[1]).toBe(`${digits}\r\n`);
  });

  test("finds the range in an answer that has everything, and nothing behind the end", async () => {
    const { service, asked } = scriptedGcs([
      { headers: tagged, body: "0123456789" },
      { status: 206, headers: tagged, body: "3456" },
      { status: 416, body: "<Error>" },
    ]);
    const range = { offset: 3, length: 4 };
    expect(text((await service.get("a/b", range, never())).bytes)).toBe("3456");
    expect(text((await service.get("a/b", range, never())).bytes)).toBe("3456");
    expect((await service.get("a/b", range, never())).bytes).toHaveLength(0);
    expect(asked[0]!.headers.get("range")).toBe("bytes=3-6");
    expect(asked[0]!.url.href).toBe("http://cert.dns/storage/v1/b/refused/o/a%2Fb?alt=media");
  });

  test("does not take a part of an object for all of it, nor other bytes", async () => {
    const cut = { headers: { ...tagged, "content-length": "10" }, body: "12345" };
    await expect(scriptedGcs([cut]).service.get("k", null, never())).rejects.toMatchObject({
      mayRetry: true,
    });
    const hash = `crc32c=${digitsSum},md5=JfnnlDI7RTiF9RgfG2JNCw==`;
    const whole = { headers: { ...tagged, "x-goog-hash": hash }, body: digits };
    expect(text((await scriptedGcs([whole]).service.get("k", null, never())).bytes)).toBe(digits);
    const flipped = { ...whole, body: "123456780" };
    const read = scriptedGcs([flipped]).service.get("k", null, never());
    await expect(read).rejects.toThrow("cannot read gs://refused/k: what came has not the object's checksum");
    await expect(read).rejects.toMatchObject({ mayRetry: true });
    // The service expands what others compressed; the checksum is of what is stored.
    const expanded = {
      headers: { ...whole.headers, "x-goog-stored-content-encoding": "gzip" },
      body: "expanded",
    };
    expect(text((await scriptedGcs([expanded]).service.get("k", null, never())).bytes)).toBe("expanded");
    await expect(scriptedGcs([{ body: "x" }]).service.get("k", null, never())).rejects.toThrow(
      "the service answered with no generation",
    );
  });

  test("knows the facts of an object, or says that they are missing", async () => {
    const facts = { kind: "storage#object", size: "3", generation: "7", updated: "2026-01-01T00:00:00.5Z" };
    expect(await scriptedGcs([{ body: facts }]).service.head("k", never())).toEqual({
      bytes: 3,
      tag: "7",
      modifiedMs: Date.UTC(2026, 0) + 500,
    });
    for (const name of Object.keys(facts)) {
      const head = scriptedGcs([{ body: { ...facts, [name]: undefined } }]).service.head("k", never());
      await expect(head, name).rejects.toMatchObject({ mayRetry: true });
    }
  });

  test("lists page after page, without the name that it begins behind", async () => {
    const { service, asked } = scriptedGcs([
      {
        body: {
          kind: "storage#objects",
          items: [{ name: "t/a" }, { name: "t/a b" }],
          prefixes: ["t/ü/"],
          nextPageToken: "n+/=",
        },
      },
      { body: { kind: "storage#objects" } },
    ]);
    const request = { prefix: "t/", grouped: true };
    expect(await service.list({ ...request, after: "t/a" }, never())).toEqual({
      keys: ["t/a b"],
      prefixes: ["t/ü/"],
      next: "n+/=",
    });
    expect(await service.list({ ...request, after: "t/a", next: "n+/=" }, never())).toEqual({
      keys: [],
      prefixes: [],
      next: null,
    });
    const [first, second] = asked.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(first).toMatchObject({ prefix: "t/", delimiter: "/", startOffset: "t/a", maxResults: "1000" });
    expect(second).toMatchObject({ startOffset: "t/a", pageToken: "n+/=" });
  });

  test("does not take anything else for a listing", async () => {
    for (const body of ["", "{}", "<html>please log in</html>", '{"kind":"storage#objects","items":[{"na']) {
      const listed = scriptedGcs([{ body }]).service.list({ prefix: "t/", grouped: true }, never());
      await expect(listed, body).rejects.toThrow(
        "cannot list gs://refused/t/: the service answered with something else than a storage#objects",
      );
    }
    for (const odd of [{ items: {} }, { items: [null] }, { items: [{ name: 1 }] }, { prefixes: "a" }]) {
      const body = { kind: "storage#objects", ...odd };
      const listed = scriptedGcs([{ body }]).service.list({ prefix: "t/", grouped: true }, never());
      await expect(listed, JSON.stringify(odd)).rejects.toThrow("a listing of something else than names");
    }
  });

  test("deletes each object, whether it is there or not, and says which it could not delete", async () => {
    const gone = { status: 404, body: errorBody("notFound") };
    const { service, asked } = scriptedGcs([{ status: 204 }, gone, { status: 204 }]);
    await service.delete(["a/1", "a/2", "a/3"], never());
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`).sort()).toEqual(
      ["1", "2", "3"].map((n) => `DELETE /storage/v1/b/refused/o/a%2F${n}`),
    );
    const refused = scriptedGcs([{ status: 403, body: errorBody("forbidden") }]).service;
    await expect(refused.delete(["a/1"], never())).rejects.toThrow(
      "cannot delete gs://refused/a/1: status 403, forbidden",
    );
  });

  test("asks for no more deletions after one that failed", async () => {
    const keys = Array.from({ length: 100 }, (_, i) => `a/${i}`);
    const { service, asked } = scriptedGcs(
      keys.map((_, i) => (i === 0 ? { status: 403, body: errorBody("forbidden") } : { status: 204 })),
    );
    await expect(service.delete(keys, never())).rejects.toThrow("forbidden");
    const askedThen = asked.length;
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked.length).toBe(askedThen);
    expect(askedThen).toBeLessThan(100);
  });

  test("takes no other refusal for an unmet condition", async () => {
    const refused = { status: 412, body: errorBody("orgPolicyConstraintFailed") };
    const { service } = scriptedGcs([refused]);
    await expect(service.put("k", new Uint8Array(1), "absent", never())).rejects.toThrow(
      "status 412, orgPolicyConstraintFailed",
    );
  });
});
