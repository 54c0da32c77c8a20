/** Recorded lines that the devcluster is not measured by, and why. A line that starts to match must leave this list. */
export interface Skipped {
  readonly trace: string;
  readonly lines: readonly number[];
  readonly reason: string;
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

const notRecorded = "depends on a request that the recording does not contain";
const notServed = "a kind that is not served here";
const shortened = "the recorded body was shortened";
const wholeObject = "the text of the error holds the server's internal form of the whole object";
const yaml = "bodies and answers in YAML are not spoken here";
const madeUp = "nothing runs here, so what a program writes or does is made up";
const timing = "depends on how long things take, which is nothing at pace 0";
const rights = "there is one user, the administrator: no ServiceAccount tokens and no access rules";

export const skipped: readonly Skipped[] = [
  { trace: "00", lines: [5, 6], reason: shortened },
  { trace: "00", lines: [12], reason: "the OpenAPI index is not served" },
  { trace: "00", lines: [16], reason: "the list of health checks names the parts of a real server" },
  { trace: "01", lines: range(59, 64), reason: notRecorded },
  { trace: "02", lines: [4, 46, 47, 48], reason: yaml },
  { trace: "02", lines: [54, 61, 63], reason: "shows what an apply in YAML has left behind" },
  { trace: "02", lines: [55, 113], reason: wholeObject },
  { trace: "02", lines: [65], reason: notRecorded },
  { trace: "03", lines: [35, 47], reason: "how often a refused pod was tried again is chance" },
  { trace: "03", lines: [48, 53], reason: notServed },
  { trace: "03", lines: [54], reason: "pods that already run are not judged when the level of their namespace rises" },
  { trace: "04", lines: [19], reason: timing },
  { trace: "04", lines: [68], reason: "the text of a failed pull is that of the registry's network" },
  {
    trace: "04",
    lines: [73, ...range(75, 78)],
    reason: "images are not checked for bad names or a pull policy of Never",
  },
  { trace: "04", lines: [84, 94, 95, 100, 105, 110], reason: madeUp },
  {
    trace: "05",
    lines: [10, 35],
    reason: "volumes are local here: another provisioner, tied to a node, grown at once",
  },
  { trace: "05", lines: [24], reason: wholeObject },
  { trace: "05", lines: [45], reason: notServed },
  { trace: "05", lines: [88], reason: notRecorded },
  { trace: "06", lines: [6], reason: madeUp },
  { trace: "06", lines: [9], reason: wholeObject },
  { trace: "06", lines: [...range(60, 72), 76, 77], reason: notServed },
  { trace: "07", lines: [21, 41], reason: "takes a minute, or follows a change that was not recorded" },
  { trace: "07", lines: [53, 58, 59], reason: "follows a compaction, which no request does; see watch.test.ts" },
  { trace: "07", lines: [62, 63], reason: "answers as Table and PartialObjectMetadata are not made" },
  { trace: "07", lines: [64], reason: yaml },
  { trace: "07", lines: [65], reason: notRecorded },
  { trace: "08", lines: [...range(5, 25), 108, 109], reason: rights },
  { trace: "08", lines: [52], reason: "protobuf is not spoken here" },
  { trace: "08", lines: [55], reason: yaml },
  { trace: "08", lines: [57], reason: notRecorded },
  { trace: "08", lines: [61, 104, 106, 107], reason: notServed },
  {
    trace: "08",
    lines: [96, 98, 100, 101],
    reason: "the large body was described instead of recorded; see errors.test.ts",
  },
  { trace: "08", lines: [105], reason: "repeated environment variables are not warned about" },
  { trace: "09", lines: [51, 61, 62, 63, 68, 69], reason: notRecorded },
  { trace: "09", lines: [85, 86, 87, 96], reason: timing },
  { trace: "09", lines: [97, 98], reason: notServed },
  { trace: "11", lines: [1, 18, 19, ...range(66, 74), ...range(81, 89)], reason: notServed },
  { trace: "11", lines: [77, 78], reason: notRecorded },
  { trace: "13", lines: [19], reason: notServed },
  { trace: "13", lines: [45], reason: "the order of ReplicaSets follows their generated names" },
];

export function skipReason(trace: string, line: number): string | null {
  return skipped.find((item) => item.trace === trace && item.lines.includes(line))?.reason ?? null;
}
