import { expect, test } from "bun:test";
import { gcsAddress } from "./gcs_address.ts";

test("gcsAddress() takes the endpoint as Google's clients and Tempo's examples write it", () => {
  const own = {
    objects: "https://storage.googleapis.com/storage/v1/b/traces/o",
    uploads: "https://storage.googleapis.com/upload/storage/v1/b/traces/o",
  };
  for (const endpoint of [
    "",
    "https://storage.googleapis.com/storage/v1/",
    "https://storage.googleapis.com",
  ]) {
    expect(gcsAddress({ bucket: "traces", endpoint }), endpoint).toEqual(own);
  }
  expect(gcsAddress({ bucket: "b", endpoint: "http://gcs:4443/behind/storage/v1" })).toEqual({
    objects: "http://gcs:4443/behind/storage/v1/b/b/o",
    uploads: "http://gcs:4443/behind/upload/storage/v1/b/b/o",
  });
});
