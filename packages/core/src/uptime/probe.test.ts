import { describe, expect, test } from "vitest";
import { addMs, minuteMs, secondMs } from "../clock.ts";
import { decideOutage, decideProbe, type ProbeState } from "./probe.ts";

const start = new Date("2026-03-02T03:00:01Z");
const minute = (count: number): Date => addMs(start, count * minuteMs);

function state(change: Partial<ProbeState> = {}): ProbeState {
  return { probedAt: start, isAnswering: true, generation: 1, failingSince: null, downSince: null, ...change };
}
const failing = (since: Date, probedAt: Date): ProbeState =>
  state({ probedAt, isAnswering: false, failingSince: since });

describe("a probe", () => {
  test("counts for the minute in which it was made, once", () => {
    const second = decideProbe(state(), { at: addMs(start, 30 * secondMs), isAnswering: true, generation: 1 });
    expect(second).toMatchObject({ upSeconds: 0, downSeconds: 0 });
    const next = decideProbe(state(), { at: minute(1), isAnswering: false, generation: 1 });
    expect(next).toMatchObject({ upSeconds: 0, downSeconds: 60, failingSince: minute(1), isChange: true });
  });

  test("that is not newer than the last one means nothing", () => {
    for (const at of [start, addMs(start, -1)])
      expect(decideProbe(state(), { at, isAnswering: false, generation: 1 })).toBeNull();
  });

  test("goes on with the count of failures; an answer, a change of what is wanted and a gap begin anew", () => {
    const before = failing(start, minute(2));
    const failed = (at: Date, generation = 1) => decideProbe(before, { at, isAnswering: false, generation });
    expect(failed(minute(3))).toMatchObject({ failingSince: start, isChange: false });
    expect(failed(minute(5))).toMatchObject({ failingSince: start });
    expect(failed(minute(3), 2)).toMatchObject({ failingSince: minute(3) });
    expect(failed(addMs(minute(5), 1))).toMatchObject({ failingSince: addMs(minute(5), 1) });
    expect(decideProbe(before, { at: minute(3), isAnswering: true, generation: 1 })).toMatchObject({
      failingSince: null,
      isChange: true,
    });
  });

  test("the first one is a change only if it fails", () => {
    const first = (isAnswering: boolean) => decideProbe(null, { at: start, isAnswering, generation: 1 });
    expect(first(true)).toEqual({ failingSince: null, upSeconds: 60, downSeconds: 0, isChange: false });
    expect(first(false)).toEqual({ failingSince: start, upSeconds: 0, downSeconds: 60, isChange: true });
  });
});

test("an app is down after five minutes between two probes that failed, and back with its first answer", () => {
  expect(decideOutage(state())).toBeNull();
  expect(decideOutage(failing(start, addMs(minute(5), -1)))).toBeNull();
  expect(decideOutage(failing(start, minute(5)))).toBe("wentDown");
  expect(decideOutage({ ...failing(start, minute(9)), downSince: start })).toBeNull();
  expect(decideOutage(state({ downSince: start }))).toBe("cameBack");
});
