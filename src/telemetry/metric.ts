// One metric, a counter, gauge or histogram, and its lines in the text form for Prometheus and OpenMetrics.

/** Label names and values of one series. A missing value is the empty string, which to Prometheus is no label. */
export type Labels<L extends string = string> = Readonly<Record<L, string>>;

/** A metric that isn't told otherwise keeps this many series; what comes after shares one whose values are `__overflow__`. */
export const seriesPerMetricMax = 1000;
export const overflowValue = "__overflow__";
export type ExpositionFormat = "prometheus" | "openmetrics";
export type MetricKind = "counter" | "gauge" | "histogram";
/** One level per label, so that no key has to be built from the values on a hot path. */
type Tree<S> = Map<string, Tree<S> | S>;

/** A name with its series, one for each set of label values seen. */
abstract class Metric<S> {
  readonly #tree: Tree<S> = new Map();
  #series: S[] = [];
  #alone: S | undefined;
  #overflow: S | undefined;

  constructor(
    readonly kind: MetricKind,
    readonly name: string,
    readonly help: string,
    readonly labelNames: readonly string[],
    readonly seriesMax: number,
  ) {}

  protected abstract newSeries(labels: string): S;
  protected abstract renderSeries(series: S, out: string[], format: ExpositionFormat): void;

  protected find(labels: Partial<Labels> | undefined): S {
    const names = this.labelNames;
    if (names.length === 0) {
      this.#alone ??= this.#add([]);
      return this.#alone;
    }
    let node = this.#tree;
    for (let i = 0; ; i++) {
      const value = labels?.[names[i]!] ?? "";
      const next = node.get(value);
      if (next === undefined) return this.#miss(labels);
      if (i === names.length - 1) return next as S;
      node = next as Tree<S>;
    }
  }

  #miss(labels: Partial<Labels> | undefined): S {
    const names = this.labelNames;
    if (this.#series.length >= this.seriesMax) {
      this.#overflow ??= this.#add(names.map(() => overflowValue));
      return this.#overflow;
    }
    const values = names.map((name) => labels?.[name] ?? "");
    const series = this.#add(values);
    let node = this.#tree;
    for (const [i, value] of values.entries()) {
      if (i === values.length - 1) {
        node.set(value, series);
        break;
      }
      let next = node.get(value) as Tree<S> | undefined;
      if (next === undefined) {
        next = new Map();
        node.set(value, next);
      }
      node = next;
    }
    return series;
  }

  #add(values: string[]): S {
    const pairs: string[] = [];
    for (const [i, name] of this.labelNames.entries()) {
      if (values[i] !== "") pairs.push(`${name}="${escapeLabel(values[i]!)}"`);
    }
    const series = this.newSeries(pairs.join(","));
    this.#series.push(series);
    return series;
  }

  /**
   * Forgets every series, so that what is gone is no longer shown: for metrics that a collector writes anew each time.
   * What `with` gave out before is cut off.
   */
  clear(): void {
    this.#tree.clear();
    this.#series = [];
    this.#alone = undefined;
    this.#overflow = undefined;
  }

  render(out: string[], format: ExpositionFormat): void {
    if (this.labelNames.length === 0) this.find(undefined);
    if (this.#series.length === 0) return;
    const open = format === "openmetrics";
    const total = this.kind === "counter" && this.name.endsWith("_total");
    const family = open && total ? this.name.slice(0, -"_total".length) : this.name;
    const type = open && this.kind === "counter" && !total ? "unknown" : this.kind;
    out.push(`# HELP ${family} ${escapeHelp(this.help, open)}`, `# TYPE ${family} ${type}`);
    for (const series of this.#series) this.renderSeries(series, out, format);
  }
}

/** One series of a counter: keep it where the labels don't change and the call is hot. */
export class CounterSeries {
  value = 0;
  constructor(readonly labels: string) {}
  inc(by = 1): void {
    this.value += by;
  }
}

/** A number that only grows. */
export class Counter<L extends string = string> extends Metric<CounterSeries> {
  protected override newSeries(labels: string): CounterSeries {
    return new CounterSeries(labels);
  }
  protected override renderSeries(series: CounterSeries, out: string[]): void {
    out.push(`${this.name}${braces(series.labels)} ${numberText(series.value)}`);
  }
  inc(labels?: Labels<L>, by = 1): void {
    this.find(labels).value += by;
  }
  /**
   * Sets the total that someone else counts: for collectors. With labels of unbounded number `clear` and `inc` instead,
   * so that what shares `__overflow__` adds up.
   */
  setTotal(labels: Labels<L>, total: number): void {
    this.find(labels).value = total;
  }
  with(labels: Labels<L>): CounterSeries {
    return this.find(labels);
  }
}

/** One series of a gauge. */
export class GaugeSeries extends CounterSeries {
  set(value: number): void {
    this.value = value;
  }
}

/** A number that goes up and down. */
export class Gauge<L extends string = string> extends Metric<GaugeSeries> {
  protected override newSeries(labels: string): GaugeSeries {
    return new GaugeSeries(labels);
  }
  protected override renderSeries(series: GaugeSeries, out: string[]): void {
    out.push(`${this.name}${braces(series.labels)} ${numberText(series.value)}`);
  }
  set(labels: Labels<L>, value: number): void {
    this.find(labels).value = value;
  }
  inc(labels?: Labels<L>, by = 1): void {
    this.find(labels).value += by;
  }
  with(labels: Labels<L>): GaugeSeries {
    return this.find(labels);
  }
}

/** One series of a histogram. */
export class HistogramSeries {
  readonly counts: Float64Array;
  sum = 0;
  constructor(
    readonly labels: string,
    readonly buckets: readonly number[],
  ) {
    this.counts = new Float64Array(buckets.length + 1);
  }
  observe(value: number): void {
    let i = 0;
    while (i < this.buckets.length && value > this.buckets[i]!) i++;
    this.counts[i]!++;
    this.sum += value;
  }
}

/** How often values fell into each of a few ranges, and their sum. */
export class Histogram<L extends string = string> extends Metric<HistogramSeries> {
  constructor(
    name: string,
    help: string,
    /** Upper bounds, growing, without +Inf. */
    readonly buckets: readonly number[],
    labelNames: readonly string[],
    seriesMax: number,
  ) {
    super("histogram", name, help, labelNames, seriesMax);
  }
  protected override newSeries(labels: string): HistogramSeries {
    return new HistogramSeries(labels, this.buckets);
  }
  protected override renderSeries(series: HistogramSeries, out: string[], format: ExpositionFormat): void {
    const { labels, counts } = series;
    const rest = labels === "" ? "" : `${labels},`;
    let count = 0;
    for (const [i, bucket] of this.buckets.entries()) {
      count += counts[i]!;
      // OpenMetrics wants bounds as floats, so that `1` and `1.0` aren't two series.
      const bound = format === "openmetrics" && Number.isInteger(bucket) ? `${bucket}.0` : numberText(bucket);
      out.push(`${this.name}_bucket{${rest}le="${bound}"} ${count}`);
    }
    count += counts[this.buckets.length]!;
    out.push(
      `${this.name}_bucket{${rest}le="+Inf"} ${count}`,
      `${this.name}_sum${braces(labels)} ${numberText(series.sum)}`,
      `${this.name}_count${braces(labels)} ${count}`,
    );
  }
  observe(labels: Labels<L>, value: number): void {
    this.find(labels).observe(value);
  }
  with(labels: Labels<L>): HistogramSeries {
    return this.find(labels);
  }
}

function braces(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}

function numberText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeLabel(value: string): string {
  return /[\\"\n]/.test(value)
    ? value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")
    : value;
}

function escapeHelp(help: string, quotes: boolean): string {
  const text = help.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
  return quotes ? text.replace(/"/g, '\\"') : text;
}
