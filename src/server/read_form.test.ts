import { expect, test } from "bun:test";
import { InvalidRequest } from "../query/query_errors.ts";
import { formBytesMax, readForm } from "./read_form.ts";

const formType = "application/x-www-form-urlencoded";

function post(body: string | ReadableStream<Uint8Array>, type = formType): Request {
  return new Request("http://localhost/", { method: "POST", body, headers: { "Content-Type": type } });
}

/** A body that is never whole. */
function endless(chunk?: Uint8Array): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => (chunk === undefined ? new Promise(() => {}) : controller.enqueue(chunk)),
  });
}

test("readForm() reads a form and nothing else", async () => {
  expect([...(await readForm(post("a=1+2&b=%7B%7D")))]).toEqual([
    ["a", "1 2"],
    ["b", "{}"],
  ]);
  expect([...(await readForm(post("a=1", `${formType.toUpperCase()}; charset=utf-8`)))]).toEqual([
    ["a", "1"],
  ]);
  expect([...(await readForm(post("a=1", "text/plain")))]).toEqual([]);
  expect([...(await readForm(new Request("http://localhost/?a=1")))]).toEqual([]);
});

test("readForm() takes forms of some size", async () => {
  const value = "x".repeat(formBytesMax - 2);
  expect((await readForm(post(`a=${value}`))).get("a")).toBe(value);
  await expect(readForm(post(`ab=${value}`))).rejects.toThrow(
    new InvalidRequest(`request body larger than ${formBytesMax} bytes`),
  );
  await expect(readForm(post(endless(new Uint8Array(100_000))))).rejects.toThrow(InvalidRequest);
});

test("readForm() waits for some time", async () => {
  await expect(readForm(post(endless()), 5)).rejects.toThrow("request body not complete within 5 ms");
});

test("readForm() reads a few forms at once, and others when those are done", async () => {
  const slow = Array.from({ length: 64 }, () => readForm(post(endless()), 20).catch(() => "late"));
  await expect(readForm(post("a=1"))).rejects.toThrow("job queue full");
  await Promise.all(slow);
  expect((await readForm(post("a=1"))).get("a")).toBe("1");
});
