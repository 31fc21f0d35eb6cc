import { expect, test } from "bun:test";
import { localTime, shortLocalTimes } from "./local_time.ts";

const nanos = (date: Date) => BigInt(date.getTime()) * 1_000_000n;

test("localTime() is the time of the local zone", () => {
  expect(localTime(nanos(new Date(2026, 0, 5, 9, 5, 7, 34)) + 999_999n)).toBe("2026-01-05 09:05:07.034");
  expect(localTime(2n ** 64n * 1_000_000n)).toBe("?");
});

test("shortLocalTimes() leaves out the day or the year that is now's for all", () => {
  const now = new Date(2026, 0, 15, 12);
  const morning = nanos(new Date(2026, 0, 15, 9, 5, 7, 34));
  const yesterday = nanos(new Date(2026, 0, 14, 23, 0, 0, 0));
  const lastYear = nanos(new Date(2025, 11, 31, 1, 2, 3, 4));
  expect(shortLocalTimes([morning, morning], now)).toEqual(["09:05:07.034", "09:05:07.034"]);
  expect(shortLocalTimes([morning, yesterday], now)).toEqual(["01-15 09:05:07.034", "01-14 23:00:00.000"]);
  expect(shortLocalTimes([lastYear, morning], now)).toEqual(["2025-12-31 01:02:03", "2026-01-15 09:05:07"]);
});
