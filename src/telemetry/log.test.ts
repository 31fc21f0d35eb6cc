import { afterEach, beforeEach, describe, expect, setSystemTime, test } from "bun:test";
import { errorText, log, logValueCharsMax } from "./log.ts";

let lines: string[] = [];

beforeEach(() => {
  lines = [];
  setSystemTime(new Date("2026-03-04T05:06:07.089Z"));
  log.configure({ level: "info", format: "logfmt", sink: (line) => lines.push(line) });
});
afterEach(() => {
  setSystemTime();
  log.configure({ level: "info", format: "logfmt", sink: (line) => process.stderr.write(line) });
});

const head = "ts=2026-03-04T05:06:07.089Z level=info msg=";

describe("log as logfmt", () => {
  const cases: [string, string, Parameters<typeof log.info>[1], string][] = [
    [
      "plain values bare",
      "ready",
      { port: 3200, ok: true, path: "/api/echo" },
      "ready port=3200 ok=true path=/api/echo",
    ],
    ["blanks quoted", "two words", { a: "x y" }, '"two words" a="x y"'],
    ["an empty value quoted", "m", { a: "" }, 'm a=""'],
    [
      "quotes, equals signs and backslashes",
      "m",
      { a: 'say "hi"', b: "k=v", c: "C:\\x" },
      'm a="say \\"hi\\"" b="k=v" c="C:\\\\x"',
    ],
    [
      "newlines escaped",
      "a\nb",
      { x: "c\r\nd", y: "e\u2028f", z: "\u0085" },
      '"a\\nb" x="c\\r\\nd" y="e\\u2028f" z="\\u0085"',
    ],
    ["terminal escapes escaped", "\u001b[31mred", { del: "\u007f" }, '"\\u001b[31mred" del="\\u007f"'],
    ["letters of any script bare", "größe", { a: "名前" }, "größe a=名前"],
    ["a lone surrogate escaped", "m", { a: "\ud800" }, 'm a="\\ud800"'],
    ["undefined left out", "m", { a: undefined, b: 1 }, "m b=1"],
    ["numbers as they are", "m", { a: Number.NaN, b: -0.5, c: 1e21 }, "m a=NaN b=-0.5 c=1e+21"],
    ["odd names made safe", "m", { "a b": 1, "": 2, 'c="d': 3 }, "m a_b=1 _=2 c__d=3"],
    [
      "a field never hides level, msg or another",
      "m",
      { level: "x", msg: "y", "a b": 1, a_b: 2 },
      "m level_=x msg_=y a_b=1 a_b_=2",
    ],
    [
      "an error's message and its causes",
      "m",
      { err: new Error("read failed", { cause: new Error("EIO") }) },
      'm err="read failed: EIO"',
    ],
  ];
  for (const [name, message, fields, expected] of cases) {
    test(name, () => {
      log.info(message, fields);
      expect(lines).toEqual([`${head}${expected}\n`]);
    });
  }

  test("cuts a long value", () => {
    log.info("m", { a: "x".repeat(logValueCharsMax + 1) });
    expect(lines[0]).toBe(`${head}m a=${"x".repeat(logValueCharsMax)}…\n`);
  });
});

describe("log as JSON", () => {
  test("is one object per line, whatever the values hold", () => {
    log.configure({ format: "json" });
    log.warn('a "b"\n', { n: 3, bad: Number.NaN, ok: false, err: new TypeError("x"), sep: "\u2028" });
    expect(lines[0]).toBe(
      '{"ts":"2026-03-04T05:06:07.089Z","level":"warn","msg":"a \\"b\\"\\n","n":3,"bad":"NaN","ok":false,"err":"x","sep":"\\u2028"}\n',
    );
    expect(JSON.parse(lines[0]!)).toEqual({
      ts: "2026-03-04T05:06:07.089Z",
      level: "warn",
      msg: 'a "b"\n',
      n: 3,
      bad: "NaN",
      ok: false,
      err: "x",
      sep: "\u2028",
    });
  });
});

describe("log levels", () => {
  test("entries below the level are not written", () => {
    log.configure({ level: "warn" });
    log.debug("d");
    log.info("i");
    log.warn("w");
    log.error("e");
    expect(lines.map((line) => line.slice(28))).toEqual(["level=warn msg=w\n", "level=error msg=e\n"]);
    expect([log.enabled("info"), log.enabled("warn"), log.enabled("error")]).toEqual([false, true, true]);
  });

  test("the stack of an error is written when debugging is on", () => {
    log.configure({ level: "debug" });
    const error = new Error("x");
    error.stack = "Error: x\n    at f";
    log.error("m", { err: error });
    expect(lines[0]).toEndWith('msg=m err=x stack="Error: x\\n    at f"\n');
  });
});

test("errorText() follows causes, tells each once, and ends on a ring", () => {
  const ring = new Error("a");
  ring.cause = new Error("b", { cause: ring });
  expect(errorText(ring)).toBe("a: b");
  expect(errorText(new Error("outer: inner", { cause: new Error("inner") }))).toBe("outer: inner");
  expect(errorText(new RangeError())).toBe("RangeError");
});
