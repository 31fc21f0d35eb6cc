import { expect, test } from "bun:test";
import { editDistance, nearest } from "./nearest.ts";

test("editDistance() counts insertions, deletions, changes and swaps", () => {
  expect(editDistance("kitten", "sitting")).toBe(3);
  expect(editDistance("port", "prot")).toBe(1);
  expect(editDistance("", "abc")).toBe(3);
  expect(editDistance("abc", "abc")).toBe(0);
});

test("nearest() gives the closest key and nothing when none is close", () => {
  const keys = ["http_listen_port", "grpc_listen_port", "log_level"];
  expect(nearest("http_listen_prot", keys)).toBe("http_listen_port");
  expect(nearest("loglevel", keys)).toBe("log_level");
  expect(nearest("cheese", keys)).toBeUndefined();
});
