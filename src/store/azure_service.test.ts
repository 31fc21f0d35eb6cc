// What Azure says, and what is made of it; an emulator has its say in test/azure.test.ts.
import { describe, expect, test } from "bun:test";
import { AzureRequests } from "./azure_request.ts";
import { AzureService } from "./azure_service.ts";
import { RemoteStore } from "./remote_store.ts";
import { resilient } from "./resilience.ts";
import { StoreNotFound } from "./store_error.ts";

interface Answer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
}

const never = () => new AbortController().signal;
const bytes = (text: string) => new TextEncoder().encode(text);
const errorBody = (code: string) =>
  `\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>So it is.\nRequestId:1\nTime:2026-01-01T00:00:00Z</Message></Error>`;
const refusal = (status: number, code: string): Answer => ({
  status,
  headers: { "x-ms-error-code": code },
  body: errorBody(code),
});
const listing = (inside: string) =>
  `\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="c">${inside}</EnumerationResults>`;

/** A service that answers as told, one answer after the other, and what it was asked. */
function set(answers: (Answer | Error)[]) {
  const asked: { method: string; url: URL; headers: Headers; body: string }[] = [];
  let forgotten = 0;
  const credentials = {
    authorize: async ({ headers }: { headers: Headers }) => {
      headers.set("authorization", "who");
      return () => void forgotten++;
    },
  };
  const fetch = async (url: string, { method, headers, body }: RequestInit) => {
    const sent = body ? new TextDecoder().decode(body as Uint8Array) : "";
    asked.push({ method: method!, url: new URL(url), headers: new Headers(headers), body: sent });
    const answer = answers.shift() ?? new Error("asked more than was expected");
    if (answer instanceof Error) throw answer;
    return new Response(answer.body ?? "", {
      status: answer.status ?? 200,
      headers: { etag: '"e"', ...answer.headers },
    });
  };
  const now = () => Date.UTC(2026, 0);
  const requests = new AzureRequests("https://acc.blob.core.windows.net/c/", credentials, fetch, now);
  return { service: new AzureService(requests), asked, forgotten: () => forgotten };
}

/** The same, with retries that don't wait. */
function steadfast(answers: (Answer | Error)[]) {
  const { service, asked } = set(answers);
  const clock = {
    after: (ms: number, then: () => void) => {
      if (ms <= 1) queueMicrotask(then);
      return () => {};
    },
  };
  const retry = { attemptsMax: 3, backoffMsInitial: 1, backoffMsMax: 1 };
  const options = { retry, hedge: { afterMs: 0, requestsMax: 1 } };
  return { service: resilient(service, options, { clock, random: () => 0 }), asked };
}

const reset = () => Object.assign(new Error("reset"), { code: "ECONNRESET" });

describe("AzureService", () => {
  test("tells what may be tried again, and what may have been done", async () => {
    const cases: [Answer | Error, mayRetry: boolean, mayBeDone: boolean][] = [
      [refusal(500, "InternalError"), true, true],
      [refusal(500, "OperationTimedOut"), true, true],
      [refusal(503, "ServerBusy"), true, false],
      [{ status: 503, body: "<html>" }, true, true],
      [{ status: 502, body: "<html>" }, true, true],
      [{ status: 429 }, true, false],
      [{ status: 408 }, true, true],
      [refusal(401, "InvalidAuthenticationInfo"), true, false],
      [refusal(403, "AuthenticationFailed"), false, false],
      [refusal(403, "AuthorizationPermissionMismatch"), false, false],
      [refusal(404, "ContainerNotFound"), false, false],
      [refusal(409, "BlobImmutableDueToPolicy"), false, false],
      [refusal(412, "LeaseIdMissing"), false, false],
      [refusal(400, "InvalidHeaderValue"), false, false],
      [refusal(501, "NotImplemented"), false, false],
      [reset(), true, true],
      [Object.assign(new Error("no"), { code: "ConnectionRefused" }), true, false],
    ];
    for (const [answer, mayRetry, mayBeDone] of cases) {
      const written = set([answer]).service.put("k", bytes("x"), "none", never());
      await expect(written, JSON.stringify(answer)).rejects.toMatchObject({ mayRetry, mayBeDone });
    }
  });

  test("shows Azure's word and the first line of its text, and why a request was not let in", async () => {
    await expect(set([refusal(404, "ContainerNotFound")]).service.get("k", null, never())).rejects.toThrow(
      /^store: cannot read k: status 404, ContainerNotFound: So it is\.$/,
    );
    const denied = (detail: string) =>
      set([
        {
          status: 403,
          body: errorBody("AuthenticationFailed").replace(
            "</Error>",
            `<AuthenticationErrorDetail>${detail}</AuthenticationErrorDetail></Error>`,
          ),
        },
      ]).service.head("k", never());
    await expect(denied("Request date header too old: 'Thu'")).rejects.toThrow(
      /status 403, AuthenticationFailed: So it is\. Request date header too old: 'Thu'$/,
    );
    await expect(denied("The MAC signature found in the HTTP request 'abc=' is not")).rejects.toThrow(
      /So it is\.$/,
    );
  });

  test("sends the version and the time, and looks for other credentials when they are not taken", async () => {
    const { service, asked, forgotten } = set([refusal(401, "InvalidAuthenticationInfo")]);
    await expect(service.head("a b/(c)", never())).rejects.toMatchObject({ mayRetry: true });
    expect(asked[0]!.url.href).toBe("https://acc.blob.core.windows.net/c/a%20b/%28c%29");
    expect(asked[0]!.headers.get("x-ms-date")).toBe("Thu, 01 Jan 2026 00:00:00 GMT");
    expect(asked[0]!.headers.get("x-ms-version")).toBe("2021-12-02");
    expect(asked[0]!.headers.get("authorization")).toBe("who");
    expect(forgotten()).toBe(1);
  });

  test("knows a missing object from a missing container", async () => {
    const missing = refusal(404, "BlobNotFound");
    await expect(set([missing]).service.get("k", null, never())).rejects.toBeInstanceOf(StoreNotFound);
    const bodiless = { status: 404, headers: { "x-ms-error-code": "BlobNotFound" } };
    await expect(set([bodiless]).service.head("k", never())).rejects.toBeInstanceOf(StoreNotFound);
    for (const other of [refusal(404, "ContainerNotFound"), { status: 404 }]) {
      await expect(set([other]).service.head("k", never())).rejects.not.toBeInstanceOf(StoreNotFound);
    }
    await set([missing]).service.delete(["k"], never());
    await expect(set([refusal(404, "ContainerNotFound")]).service.delete(["k"], never())).rejects.toThrow(
      "Container",
    );
  });

  test("reads ranges, of objects that end before them too", async () => {
    const { service, asked } = set([{ status: 206, body: "345" }, { status: 416 }, { body: "0123456789" }]);
    const range = { offset: 3, length: 3 };
    expect((await service.get("k", range, never())).bytes).toEqual(bytes("345"));
    expect(asked[0]!.headers.get("range")).toBe("bytes=3-5");
    expect((await service.get("k", range, never())).bytes).toHaveLength(0);
    expect((await service.get("k", range, never())).bytes).toEqual(bytes("345"));
  });

  test("does not take a part of an answer, or another one, for all of it", async () => {
    const cut = { headers: { "content-length": "10" }, body: "12345" };
    await expect(set([cut]).service.get("k", null, never())).rejects.toMatchObject({ mayRetry: true });
    for (const body of ["", "<html>please log in</html>", listing("<Blobs><Blob>").slice(0, -5)]) {
      const listed = set([{ body }]).service.list({ prefix: "t/", grouped: true }, never());
      await expect(listed, body).rejects.toThrow(
        "cannot list t/: the service answered with no whole listing",
      );
    }
  });

  test("lists files and prefixes, with names that XML can't write, without the folders of some accounts", async () => {
    const body = listing(
      "<Prefix>t/</Prefix><Blobs><Blob><Name>t/a&amp;b</Name><Properties><Etag>0x1</Etag></Properties></Blob>" +
        "<Blob><Name>t/dir</Name><Properties><ResourceType>directory</ResourceType></Properties></Blob>" +
        '<Blob><Name Encoded="true">t/%01%20%26</Name></Blob>' +
        '<BlobPrefix><Name>t/one/</Name></BlobPrefix><BlobPrefix><Name Encoded="true">t/%FF%FE/</Name></BlobPrefix></Blobs>' +
        "<NextMarker>2!8!x&amp;=</NextMarker>",
    );
    const { service, asked } = set([
      { body: body.replace("%FF%FE", "%EF%BF%BF") },
      { body: listing("<Blobs /><NextMarker />") },
    ]);
    expect(await service.list({ prefix: "t/", grouped: true }, never())).toEqual({
      keys: ["t/a&b", "t/\u0001 &"],
      prefixes: ["t/one/", "t/\uffff/"],
      next: "2!8!x&=",
    });
    const last = await service.list({ prefix: "t/", grouped: false, next: "2!8!x&=" }, never());
    expect(last).toEqual({ keys: [], prefixes: [], next: null });
    const queries = asked.map(({ url }) => Object.fromEntries(url.searchParams));
    expect(queries).toEqual([
      { restype: "container", comp: "list", prefix: "t/", delimiter: "/" },
      { restype: "container", comp: "list", prefix: "t/", marker: "2!8!x&=" },
    ]);
  });

  test("lists behind a name, though Azure begins at the beginning", async () => {
    const names = ["t/a/", "t/b/", "t/c/"].map((name) => `<BlobPrefix><Name>${name}</Name></BlobPrefix>`);
    const { service } = set([{ body: listing(`<Blobs>${names.join("")}</Blobs>`) }]);
    const page = await service.list({ prefix: "t/", grouped: true, after: "t/b/" }, never());
    expect(page.prefixes).toEqual(["t/c/"]);
  });

  test("makes writes depend on what is there", async () => {
    const { service, asked } = set([
      { status: 201 },
      refusal(409, "BlobAlreadyExists"),
      refusal(412, "ConditionNotMet"),
      refusal(404, "BlobNotFound"),
      refusal(412, "LeaseIdMissing"),
    ]);
    expect(await service.put("k", bytes("x"), "absent", never())).toBe('"e"');
    expect(await service.put("k", bytes("x"), "absent", never())).toBeNull();
    expect(await service.put("k", bytes("x"), { tag: '"t"' }, never())).toBeNull();
    expect(await service.put("k", bytes("x"), { tag: '"t"' }, never())).toBeNull();
    await expect(service.put("k", bytes("x"), { tag: '"t"' }, never())).rejects.toThrow("LeaseIdMissing");
    const [absent, , tagged] = asked;
    expect(absent!.headers.get("if-none-match")).toBe("*");
    expect(absent!.headers.get("x-ms-blob-type")).toBe("BlockBlob");
    expect(tagged!.headers.get("if-match")).toBe('"t"');
  });

  test("writes parts as blocks with ids of one length, and lists them in order", async () => {
    const { service, asked } = set([{ status: 201 }, { status: 201 }, { status: 201 }]);
    const upload = await service.startUpload("k");
    const ids = [
      await service.uploadPart(upload, 1, bytes("x"), never()),
      await service.uploadPart(upload, 50_000, bytes("y"), never()),
    ];
    expect(ids[0]).not.toBe(ids[1]!);
    expect(ids[0]).toHaveLength(ids[1]!.length);
    expect(asked.map(({ url }) => url.searchParams.get("blockid"))).toEqual(ids);
    const parts = ids.map((tag, i) => ({ number: i + 1, tag, bytes: 1 }));
    await service.completeUpload(upload, parts, never());
    expect(asked[2]!.url.search).toBe("?comp=blocklist");
    expect(asked[2]!.body).toEndWith(
      `<BlockList><Latest>${ids[0]}</Latest><Latest>${ids[1]}</Latest></BlockList>`,
    );
    await service.abortUpload();
    expect(asked).toHaveLength(3);
  });

  test("writes a space in a query as Azure reads it, and names no object that a URL can't", async () => {
    const { service, asked } = set([{ body: listing("<Blobs></Blobs><NextMarker />") }]);
    await service.list({ prefix: "my traces/a+b/", grouped: true }, never());
    expect(asked[0]!.url.search).toContain("prefix=my%20traces%2Fa%2Bb%2F");
    await expect(service.delete(["t/b/../../other"], never())).rejects.toThrow(
      'store: no request can name "t/b/../../other"',
    );
    expect(asked).toHaveLength(1);
  });

  test("deletes each of many, and says which it could not", async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `k${i}`);
    const { service, asked } = set(keys.map(() => ({ status: 202 })));
    await service.delete(keys, never());
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual(
      keys.map((key) => `DELETE /c/${key}`),
    );
    const failing = set(keys.map((_, i) => (i === 1 ? refusal(409, "BlobImmutableDueToPolicy") : {})));
    await expect(failing.service.delete(keys, never())).rejects.toThrow("cannot delete k1: status 409");
    expect(failing.asked.length).toBeLessThan(keys.length);
  });
});

describe("AzureService behind retries", () => {
  test("finds out whether a write was done whose answer was lost", async () => {
    const { service } = steadfast([reset(), refusal(409, "BlobAlreadyExists"), { body: "mine" }]);
    expect(await service.put("k", bytes("mine"), "absent", never())).toBe('"e"');
    const taken = steadfast([reset(), refusal(412, "ConditionNotMet"), { body: "theirs" }]);
    await expect(taken.service.put("k", bytes("mine"), { tag: '"t"' }, never())).rejects.toThrow(
      "cannot tell",
    );
  });

  test("takes blocks that are gone after a lost answer for an object of their size that is there", async () => {
    const parts = [{ number: 1, tag: "YQ==", bytes: 5 }];
    const gone = refusal(400, "InvalidBlockList");
    const facts = { "content-length": "5", "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" };
    const { service } = steadfast([reset(), gone, { headers: facts }]);
    await service.completeUpload({ key: "k", id: "u" }, parts, never());
    const lost = steadfast([gone]).service.completeUpload({ key: "k", id: "u" }, parts, never());
    await expect(lost).rejects.toThrow("status 400, InvalidBlockList: So it is.");
  });

  test("asks again for an answer that ended early, and when the service is busy", async () => {
    const cut = { headers: { "content-length": "10" }, body: "12345" };
    const { service, asked } = steadfast([cut, refusal(503, "ServerBusy"), { body: "1234567890" }]);
    const options = { prefix: "", listsMax: 1, partBytes: 1 << 20, partsMax: 1 };
    expect(await new RemoteStore(service, options).read("t/k")).toEqual(bytes("1234567890"));
    expect(asked).toHaveLength(3);
  });
});
