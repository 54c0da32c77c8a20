/** What one measurement found. Times are milliseconds of the machine's monotonic clock. */
export interface Sample {
  readonly count: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One line of the report: what we do, and the least that anything could cost here, measured in the same run. */
export interface Line {
  readonly group: string;
  readonly name: string;
  readonly sample: Sample;
  /** What the floor does, for a reader. */
  readonly floorName: string;
  readonly floor: Sample;
  /** `rate`: floor's rate by ours. `time`: our median by the floor's. Either way 1 is the floor and larger is dearer. */
  readonly compareBy: "rate" | "time";
}

export interface Load {
  /** How many call at once, each waiting for its own answer. */
  readonly clients: number;
  readonly forMs: number;
}

/** `client` counts from 0, `call` from 0 for each client. */
export type Work = (client: number, call: number) => Promise<unknown>;

/** Closed loop: each client calls again when it was answered, until the time is over. A call that fails ends the run. */
export async function underLoad({ clients, forMs }: Load, work: Work): Promise<Sample> {
  const times: number[] = [];
  const begin = performance.now();
  const end = begin + forMs;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let call = 0; performance.now() < end; call += 1) {
        const start = performance.now();
        await work(client, call);
        times.push(performance.now() - start);
      }
    }),
  );
  return toSample(times, performance.now() - begin);
}

/** One after the other, a fixed number of times. `work` answers with its own measurement where the call is not all of it. */
export async function oneByOne(count: number, work: (call: number) => Promise<number | void>): Promise<Sample> {
  const times: number[] = [];
  const begin = performance.now();
  for (let call = 0; call < count; call += 1) {
    const start = performance.now();
    const own = await work(call);
    times.push(own ?? performance.now() - start);
  }
  return toSample(times, performance.now() - begin);
}

/** For work that needs no waiting. Batches, because one call is shorter than the clock can tell. */
export function inBatches(forMs: number, batch: number, work: () => unknown): Sample {
  const times: number[] = [];
  const begin = performance.now();
  while (performance.now() - begin < forMs) {
    const start = performance.now();
    for (let call = 0; call < batch; call += 1) kept = work();
    times.push((performance.now() - start) / batch);
  }
  const sample = toSample(times, performance.now() - begin);
  return { ...sample, count: times.length * batch, perSecond: sample.perSecond * batch };
}

/** The last result, held where the compiler cannot know that nobody reads it: unused work might be left out. */
export let kept: unknown;

function toSample(times: readonly number[], elapsedMs: number): Sample {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    count: sorted.length,
    perSecond: (sorted.length * 1_000) / elapsedMs,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  };
}

/** The smallest time that at least this share of the calls needed at most. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
