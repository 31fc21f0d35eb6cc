import { expect, test } from "bun:test";
import { AzureSharedKey, stringToSign } from "./azure_shared_key.ts";

const base = "https://myaccount.blob.core.windows.net/mycontainer";

test("stringToSign() is as Microsoft's documentation has it", () => {
  const metadata = {
    method: "GET" as const,
    url: new URL(`${base}?restype=container&comp=metadata&timeout=20`),
    headers: new Headers({ "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT", "x-ms-version": "2015-02-21" }),
    bodyBytes: 0,
  };
  expect(stringToSign("myaccount", metadata)).toBe(
    "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n" +
      "/myaccount/mycontainer\ncomp:metadata\nrestype:container\ntimeout:20",
  );
});

test("stringToSign() has each header in its place, the path as it is sent and the query as it is meant", () => {
  const write = {
    method: "PUT" as const,
    url: new URL("http://127.0.0.1:10000/account/c/a%20b?comp=block&blockid=a%2Bb%3D"),
    headers: new Headers({
      "x-ms-version": "2021-12-02",
      "if-match": '"0x8D"',
      range: "bytes=0-1",
      "x-ms-date": "now",
      accept: "*/*",
    }),
    bodyBytes: 11,
  };
  expect(stringToSign("account", write)).toBe(
    'PUT\n\n\n11\n\n\n\n\n"0x8D"\n\n\nbytes=0-1\nx-ms-date:now\nx-ms-version:2021-12-02\n' +
      "/account/account/c/a%20b\nblockid:a+b=\ncomp:block",
  );
});

test("AzureSharedKey signs with the key", async () => {
  const headers = new Headers({
    "x-ms-date": "Fri, 26 Jun 2015 23:39:12 GMT",
    "x-ms-version": "2015-02-21",
  });
  const url = new URL(`${base}?restype=container&comp=metadata&timeout=20`);
  const credentials = new AzureSharedKey("myaccount", Buffer.from("not a secret").toString("base64"));
  await credentials.authorize({ method: "GET", url, headers, bodyBytes: 0 });
  // By Python's hmac, of the string above.
  expect(headers.get("authorization")).toBe(
    "SharedKey myaccount:aY9pph2aRJZZVa8yHm0tLIqKTw0ULhPihu4iyAd7ZiE=",
  );
});
