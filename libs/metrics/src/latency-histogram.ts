import { Histogram, type Registry } from 'prom-client';

/** The documented range is 50 to 3000 ms; a gateway that adds 2 ms needs to see below it. */
const BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2000, 3000];

/** One combination of labels. */
export class LatencySeries {
  /** By bound, those above the last one at the end; not accumulated. */
  readonly counts = new Array<number>(BOUNDS_MS.length + 1).fill(0);
  sumMs = 0;

  constructor(readonly labels: Readonly<Record<string, string>>) {}

  observe(ms: number): void {
    let place = 0;
    // A comparison each, and most answers are quick: no bisection is faster.
    while (ms > (BOUNDS_MS[place] ?? Infinity)) place += 1;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
    this.sumMs += ms;
  }
}

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/**
 * Latencies in milliseconds, as prom-client shows them. Its own histogram keeps its counts under their bounds, and of an
 * object whose keys are 1 to 3000 V8 makes an array of 3000 places: 24 kB for each combination of labels, 11 MB for
 * two hundred tenants. It also hashes the labels at every observation.
 */
export class LatencyHistogram extends Histogram {
  private readonly series = new Map<string, LatencySeries>();
  private readonly title: string;
  private readonly text: string;

  constructor(name: string, help: string, labelNames: readonly string[], registry: Registry) {
    super({ name, help, labelNames: [...labelNames], registers: [registry] });
    this.title = name;
    this.text = help;
  }

  /** The same one for the same labels. Keep it. */
  of(labels: Readonly<Record<string, string>>): LatencySeries {
    const key = JSON.stringify(labels);
    let series = this.series.get(key);
    if (!series) this.series.set(key, (series = new LatencySeries(labels)));
    return series;
  }

  /** What the registry asks for when it is scraped, as text or by another worker. */
  override get(): ReturnType<Histogram['get']> {
    const values = [...this.series.values()].flatMap((series) => this.samples(series));
    const shown = { name: this.title, help: this.text, type: 'histogram', values, aggregator: 'sum' };
    return Promise.resolve(shown) as unknown as ReturnType<Histogram['get']>;
  }

  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }

  private samples({ counts, sumMs, labels }: LatencySeries): Sample[] {
    const { title } = this;
    let below = 0;
    const samples: Sample[] = counts.map((count, i) => ({
      metricName: `${title}_bucket`,
      labels: { le: BOUNDS_MS[i] ?? '+Inf', ...labels },
      value: (below += count),
    }));
    samples.push({ metricName: `${title}_sum`, labels, value: sumMs });
    samples.push({ metricName: `${title}_count`, labels, value: below });
    return samples;
  }
}
