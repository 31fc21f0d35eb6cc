// What S3 says, and what is made of it; a real server has its say in test/s3.test.ts.
import { describe, expect, test } from "bun:test";
import { AwsCredentialsSource } from "./aws_credentials.ts";
import type { S3ObjectSettings } from "./s3_headers.ts";
import { S3Requests } from "./s3_request.ts";
import { S3Service } from "./s3_service.ts";
import { StoreNotFound } from "./store_error.ts";

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

const plain: S3ObjectSettings = { sse: null, storageClass: "", tags: {}, metadata: {} };
const never = () => new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const errorBody = (code: string) => `<Error><Code>${code}</Code><Message>so it is</Message></Error>`;

/** A URL with words in it that tell nothing. */
const sending = "error sending request for url (http://cert.dns/refused/k)";
const fetchFailed = (message: string) => new TypeError("fetch failed", { cause: new Error(message) });

/** A service that answers as told, one answer after the other, and what it was asked. */
function set(answers: (Answer | Error)[], settings: Partial<S3ObjectSettings> = {}, sessionToken = "") {
  const asked: { method: string; url: URL; headers: Headers; body: string }[] = [];
  const configured = { accessKeyId: "a", secretAccessKey: "s", sessionToken };
  const credentials = new AwsCredentialsSource({ configured, region: "r", env: {}, fetch, now: Date.now });
  const address = { url: "http://cert.dns/refused/", region: "r" };
  const requests = new S3Requests(address, credentials, async (url, init) => {
    const body = init.body ? new TextDecoder().decode(init.body as Uint8Array) : "";
    asked.push({ method: init.method!, url: new URL(url), headers: new Headers(init.headers), body });
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return new Response(answer.status === 204 ? null : (answer.body ?? ""), {
      status: answer.status ?? 200,
      headers: { etag: '"e"', ...answer.headers },
    });
  });
  return { service: new S3Service(requests, { ...plain, ...settings }), asked };
}

describe("S3Service", () => {
  test("tells what may be tried again, and what may have been done", async () => {
    const cases: [Answer | Error, mayRetry: boolean, mayBeDone: boolean][] = [
      [{ status: 500, body: errorBody("InternalError") }, true, true],
      [{ status: 502, body: "<html>" }, true, true],
      [{ status: 503, body: errorBody("SlowDown") }, true, false],
      [{ status: 503, body: "<html>" }, true, true],
      [{ status: 429 }, true, false],
      [{ status: 409, body: errorBody("ConditionalRequestConflict") }, true, false],
      [{ status: 400, body: errorBody("RequestTimeout") }, true, true],
      [{ status: 400, body: errorBody("ExpiredToken") }, true, false],
      [{ status: 501, body: errorBody("NotImplemented") }, false, false],
      [{ status: 403, body: errorBody("AccessDenied") }, false, false],
      [{ status: 404, body: errorBody("NoSuchBucket") }, false, false],
      [Object.assign(new Error("reset"), { code: "ECONNRESET" }), true, true],
      [Object.assign(new Error("no"), { code: "ConnectionRefused" }), true, false],
      [Object.assign(new Error("bad"), { code: "DEPTH_ZERO_SELF_SIGNED_CERT" }), false, true],
      // As Deno says it.
      [fetchFailed("Connection reset by peer (os error 104)"), true, true],
      [fetchFailed(`${sending}: client error (Connect): Connection refused (os error 111)`), true, false],
      [fetchFailed(`${sending}: connection closed before message completed`), true, true],
      [
        fetchFailed(`${sending}: client error (Connect): invalid peer certificate: UnknownIssuer`),
        false,
        true,
      ],
    ];
    for (const [answer, mayRetry, mayBeDone] of cases) {
      const { service } = set([answer]);
      const written = service.put("k", bytes("x"), "none", never());
      await expect(written, JSON.stringify(answer)).rejects.toMatchObject({ mayRetry, mayBeDone });
    }
  });

  test("shows the server's code and message, and the region that the bucket is in", async () => {
    const elsewhere = {
      status: 301,
      headers: { "x-amz-bucket-region": "eu-west-1" },
      body: errorBody("PermanentRedirect"),
    };
    await expect(set([elsewhere]).service.get("k", null, never())).rejects.toThrow(
      "store: cannot read k: status 301, PermanentRedirect: so it is; the bucket is in region eu-west-1 (storage.trace.s3.region)",
    );
  });

  test("knows a missing object from other things that are missing", async () => {
    const missing = { status: 404, body: errorBody("NoSuchKey") };
    await expect(set([missing]).service.get("k", null, never())).rejects.toBeInstanceOf(StoreNotFound);
    await expect(set([{ status: 404 }]).service.head("k", never())).rejects.toBeInstanceOf(StoreNotFound);
    expect(await set([missing]).service.put("k", bytes("x"), { tag: '"t"' }, never())).toBeNull();
  });

  test("does not take an error behind status 200 for an object", async () => {
    const upload = { key: "k", id: "u" };
    const parts = [{ number: 1, tag: '"p"', bytes: 1 }];
    const failed = set([{ body: errorBody("InternalError") }]).service.completeUpload(upload, parts, never());
    await expect(failed).rejects.toMatchObject({ reason: "InternalError", mayRetry: true });
    const cut = set([{ body: '<?xml version="1.0"?>  ' }]).service.completeUpload(upload, parts, never());
    await expect(cut).rejects.toMatchObject({ mayRetry: true, mayBeDone: true });
  });

  test("does not take a part of an answer for all of it", async () => {
    const cut = { headers: { "content-length": "10" }, body: "12345" };
    await expect(set([cut]).service.get("k", null, never())).rejects.toMatchObject({ mayRetry: true });
  });

  test("does not take anything else for a listing, a deletion or an object's facts", async () => {
    const request = { prefix: "t/", grouped: true };
    const listings = [
      "",
      "<html>please log in</html>",
      "<ListBucketResult><Contents><Key>a</Key></Contents><Con",
    ];
    for (const body of listings) {
      const listed = set([{ body }]).service.list(request, never());
      await expect(listed, body).rejects.toThrow(
        "cannot list t/: the service answered with no whole listing",
      );
    }
    const old =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextMarker>a</NextMarker></ListBucketResult>";
    const listed = set([{ body: old }]).service.list(request, never());
    await expect(listed).rejects.toThrow("a page without the token of the next");
    const deleted = set([{ body: "<html>" }]).service.delete(["a", "b"], never());
    await expect(deleted).rejects.toMatchObject({ mayRetry: true });
    await set([{ body: "<DeleteResult/>" }]).service.delete(["a", "b"], never());
    const modified = { "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
    for (const headers of [modified, { "content-length": "3" }]) {
      await expect(set([{ headers }]).service.head("k", never())).rejects.toMatchObject({ mayRetry: true });
    }
    const facts = await set([{ headers: { ...modified, "content-length": "3" } }]).service.head("k", never());
    expect(facts).toEqual({ bytes: 3, tag: '"e"', modifiedMs: Date.UTC(2026, 0) });
  });

  test("says what was given up, and why", async () => {
    const late = AbortSignal.abort(new Error("no answer in 5 ms"));
    const read = set([new Error("aborted")]).service.get("k", null, late);
    await expect(read).rejects.toThrow("store: cannot read k: no answer in 5 ms");
  });

  test("says what can't be sent without saying a secret", async () => {
    for (const token of ["secret\ntoken", "secret-ü", "secret-日"]) {
      const error = await set([], {}, token).service.get("k", null, never()).catch(String);
      expect(error).toBe("StoreError: store: the session token has characters that a request can't have");
    }
    const written = set([], { metadata: { owner: "Zoë" } }).service.put("k", bytes("x"), "none", never());
    await expect(written).rejects.toThrow("the header x-amz-meta-owner has characters");
  });

  test("finds the range in an answer that has everything", async () => {
    const { service, asked } = set([{ body: "0123456789" }]);
    const found = await service.get("k", { offset: 3, length: 4 }, never());
    expect(new TextDecoder().decode(found.bytes)).toBe("3456");
    expect(asked[0]!.headers.get("range")).toBe("bytes=3-6");
  });

  test("makes writes depend on what is there", async () => {
    const { service, asked } = set([{}, {}, { status: 412, body: errorBody("PreconditionFailed") }]);
    expect(await service.put("k", bytes("x"), "absent", never())).toBe('"e"');
    await service.put("k", bytes("x"), { tag: '"t"' }, never());
    expect(await service.put("k", bytes("x"), { tag: '"t"' }, never())).toBeNull();
    expect(asked[0]!.headers.get("if-none-match")).toBe("*");
    expect(asked[1]!.headers.get("if-match")).toBe('"t"');
    expect(asked[0]!.headers.get("authorization")).toContain("if-none-match;");
  });

  test("says of some objects that they could not be deleted, with the others", async () => {
    const failed =
      "<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>";
    const { service, asked } = set([{ body: failed }]);
    await expect(service.delete(["a&b", "b"], never())).rejects.toThrow(
      "cannot delete b: status 200, AccessDenied",
    );
    expect(asked[0]!.body).toContain("<Key>a&#38;b</Key>");
    expect(asked[0]!.headers.has("content-md5")).toBe(true);
  });

  test("lists what XML can't write, as it is in URLs", async () => {
    const body =
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>" +
      "<NextContinuationToken>a&amp;b</NextContinuationToken><Contents><Key>t/a+b%2Bc%01</Key></Contents>" +
      "<CommonPrefixes><Prefix>t/%C3%BC/</Prefix></CommonPrefixes></ListBucketResult>";
    const { service, asked } = set([{ body }]);
    expect(await service.list({ prefix: "t/", grouped: true, after: "t/a b" }, never())).toEqual({
      keys: ["t/a b+c\u0001"],
      prefixes: ["t/ü/"],
      next: "a&b",
    });
    expect(asked[0]!.url.searchParams.get("start-after")).toBe("t/a b");
  });

  test("asks for encryption with the service's keys where objects are made", async () => {
    const sse = { type: "SSE-KMS", keyId: "key-1", context: '{"a":"b"}' } as const;
    const settings = { sse, storageClass: "STANDARD_IA", tags: { a: "b c" }, metadata: { owner: "x" } };
    const uploadId = {
      body: "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>",
    };
    const { service, asked } = set([{}, uploadId, {}, {}], settings);
    await service.put("k", bytes("x"), "none", never());
    const upload = await service.startUpload("k", never());
    await service.uploadPart(upload, 1, bytes("x"), never());
    await service.get("k", null, never());
    for (const { headers } of asked.slice(0, 2)) {
      expect(headers.get("x-amz-server-side-encryption")).toBe("aws:kms");
      expect(headers.get("x-amz-server-side-encryption-aws-kms-key-id")).toBe("key-1");
      expect(headers.get("x-amz-server-side-encryption-context")).toBe("eyJhIjoiYiJ9");
      expect(headers.get("x-amz-storage-class")).toBe("STANDARD_IA");
      expect(headers.get("x-amz-tagging")).toBe("a=b%20c");
      expect(headers.get("x-amz-meta-owner")).toBe("x");
    }
    for (const { headers } of asked.slice(2)) expect(headers.has("x-amz-server-side-encryption")).toBe(false);
  });

  test("sends a key of its own with everything that has to do with bytes", async () => {
    const facts = { "content-length": "0", "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
    const sse = { type: "SSE-C", key: "k".repeat(32) } as const;
    const { service, asked } = set([{}, {}, {}, { headers: facts }], { sse });
    await service.put("k", bytes("x"), "none", never());
    await service.uploadPart({ key: "k", id: "u" }, 1, bytes("x"), never());
    await service.get("k", null, never());
    await service.head("k", never());
    for (const { headers } of asked) {
      expect(headers.get("x-amz-server-side-encryption-customer-algorithm")).toBe("AES256");
      expect(headers.get("x-amz-server-side-encryption-customer-key-md5")).toBe("mT2HRsMGJ5IX5C+0rreZ8Q==");
    }
  });
});
