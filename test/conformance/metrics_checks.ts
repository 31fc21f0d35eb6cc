// Whether the series of an answer are what a case of the semantic TraceQL corpus expects: the rules of the corpus's own runner.
import type { MetricsCase, SemanticFixture, SemanticRun, SeriesExpectation } from "./semantic_cases.ts";
import { type AttributeJson, fail, same, valueText, wantedText } from "./semantic_checks.ts";
import type { Double } from "./typed_json.ts";

interface SampleJson {
  timestampMs?: string;
  value?: number | string;
}

export interface SeriesJson {
  labels?: AttributeJson[];
  samples?: SampleJson[];
  /** Of an instant query. */
  value?: number | string;
  exemplars?: { labels?: AttributeJson[]; value?: number | string; timestampMs?: string }[];
}

/** Body of an answer of /api/metrics/query_range and /api/metrics/query. */
export interface MetricsJson {
  series?: SeriesJson[];
  metrics?: Record<string, string | number>;
  status?: string;
}

interface FoundSeries {
  labels: string[];
  series: SeriesJson;
}

export function checkMetrics(
  one: MetricsCase,
  answer: MetricsJson,
  fixtures: SemanticFixture[],
  run: SemanticRun,
): void {
  const { expect } = one;
  const found = (answer.series ?? []).map((series) => ({ labels: labelTexts(series), series }));
  const names = found.map(({ labels }) => labels);
  if (expect.seriesCount !== undefined) same("count of series", found.length, expect.seriesCount);
  if (expect.stepMillis !== undefined) checkStep(found, expect.stepMillis);
  if (expect.series !== undefined) {
    const places = expect.series.map((wanted) => {
      const labels = wantedLabels(wanted.labels);
      const at = names.findIndex((texts) => Bun.deepEquals(texts, labels));
      if (at < 0) fail(`no series ${labels} in ${JSON.stringify(names).slice(0, 900)}`);
      checkSamples(wanted, found[at]!.series, run);
      return at;
    });
    if ((expect.mode ?? "exact") === "exact") {
      const left = names.filter((_, i) => !places.includes(i));
      if (left.length > 0) fail(`unexpected series ${JSON.stringify(left).slice(0, 900)}`);
    }
    if (expect.ordered)
      same(
        "order of series",
        places,
        places.toSorted((a, b) => a - b),
      );
  }
  for (const labels of expect.seriesAbsent ?? []) {
    if (names.some((texts) => Bun.deepEquals(texts, wantedLabels(labels)))) fail(`series ${labels}`);
  }
  if (expect.exemplars !== undefined) checkExemplars(one, found, fixtures, run);
}

function labelTexts({ labels = [] }: SeriesJson): string[] {
  return labels.map(({ key, value }) => `${key}=${valueText(value)}`);
}

function wantedLabels(labels: SeriesExpectation["labels"]): string[] {
  return labels.map(([key, value]) => `${key}=${wantedText(value)}`);
}

function checkStep(found: FoundSeries[], stepMillis: number): void {
  const times = found.flatMap(({ series }) =>
    (series.samples ?? []).map(({ timestampMs }) => Number(timestampMs)),
  );
  const sorted = [...new Set(times)].sort((a, b) => a - b);
  same("step", [...new Set(sorted.slice(1).map((time, i) => time - sorted[i]!))], [stepMillis]);
}

function checkSamples(wanted: SeriesExpectation, series: SeriesJson, run: SemanticRun): void {
  const samples = (series.samples ?? []).map(({ timestampMs = "0", value = 0 }) => [
    (Number(timestampMs) - run.base * 1000) / 1000,
    Number(value),
  ]);
  if (wanted.value !== undefined) checkNumbers(wanted, [Number(series.value ?? 0)], [numberOf(wanted.value)]);
  if (wanted.samples !== undefined) {
    checkNumbers(wanted, samples.flat(), wanted.samples.flat().map(numberOf));
  }
  if (wanted.sum !== undefined) {
    const sum = samples.reduce((total, [, value]) => total + value!, 0);
    checkNumbers(wanted, [sum], [numberOf(wanted.sum)]);
  }
}

function numberOf(number: number | Double): number {
  return typeof number === "number" ? number : number.value;
}

function checkNumbers({ labels }: SeriesExpectation, got: number[], want: number[]): void {
  const agree = got.length === want.length && got.every((number, i) => areClose(number, want[i]!));
  if (!agree) fail(`${JSON.stringify(labels)}: got ${got}, expected ${want}`);
}

/** As far as sums in another order agree. */
export function areClose(a: number, b: number): boolean {
  return a === b || Math.abs(a - b) <= Math.max(1e-15, 1e-9 * Math.max(Math.abs(a), Math.abs(b)));
}

function checkExemplars(
  { expect }: MetricsCase,
  found: FoundSeries[],
  fixtures: SemanticFixture[],
  run: SemanticRun,
): void {
  const { min = 0, max = Number.POSITIVE_INFINITY, ownTraces = false } = expect.exemplars!;
  const exemplars = found.flatMap(({ series }) => series.exemplars ?? []);
  if (exemplars.length < min || exemplars.length > max) {
    fail(`${exemplars.length} exemplars, not ${min} to ${max}`);
  }
  if (!ownTraces) return;
  const withoutZeros = (id: string) => id.replace(/^0+/, "");
  const own = fixtures.flatMap(({ traceIds }) => traceIds.map((id) => withoutZeros(run.salted(id))));
  for (const { labels = [] } of exemplars) {
    const id = labels.find(({ key }) => key === "trace:id")?.value?.stringValue ?? "";
    if (!own.includes(withoutZeros(id))) fail(`exemplar of another trace: ${JSON.stringify(labels)}`);
  }
}
