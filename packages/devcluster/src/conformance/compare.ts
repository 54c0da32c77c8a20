import { isRecord, listOf, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/** Differences between a recorded answer and ours, as sentences; none when ours is as good. */
export function compareBodies(recorded: unknown, ours: unknown, isSettled: boolean): string[] {
  const found: string[] = [];
  compare(recorded, ours, "", found);
  // How far controllers have come is chance unless the recording waited for it.
  return isSettled
    ? found
    : found.filter((sentence) => !/^(\.items\[\d+\])?\.(status[.:]|metadata\.annotations:)/.test(sentence));
}

/** Members whose values are an accident of the run; only their presence and type is compared. */
const accidental = new Set(
  ["uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "continue", "remainingItemCount"].concat(
    ["clusterIP", "clusterIPs", "nodePort", "podIP", "podIPs", "hostIP", "hostIPs", "imageID", "containerID", "ip"],
    ["startTime", "completionTime", "lastTransitionTime", "lastUpdateTime", "lastProbeTime", "startedAt", "finishedAt"],
    ["firstTimestamp", "lastTimestamp", "eventTime", "time", "serverAddress", "storageVersionHash", "ca.crt"],
    [
      "controller-uid",
      "batch.kubernetes.io/controller-uid",
      "path",
      "observedGeneration",
      "images",
      "crt",
      "pod-template-hash",
      "count",
      "reportingInstance",
    ],
  ),
);

/** Lists and maps that show the machine and not the API: what nodes are like, which kinds are served. */
const machine = new Set(["nodeInfo", "capacity", "allocatable", "addresses", "groups", "resources", "annotations"]);

const controllers = new Set([
  "kube-controller-manager",
  "kubelet",
  "kube-scheduler",
  "devcluster-ingress",
  "kube-apiserver",
]);

function compare(recorded: unknown, ours: unknown, path: string, found: string[]): void {
  const member = path.slice(path.lastIndexOf(".") + 1).replace(/\[\d+\]$/, "");
  // Long lists were shortened when they were recorded, to entries of the form name@version.
  if (typeof recorded === "string" && /@\d+$/.test(recorded) && isRecord(ours)) {
    const name = stringOf(recordOf(ours["metadata"])["name"]);
    if (!recorded.startsWith(`${name}@`)) found.push(`${path}: recorded ${recorded}, ours ${name}`);
    return;
  }
  if (typeOf(recorded) !== typeOf(ours)) {
    found.push(`${path || "."}: recorded ${shown(recorded)}, ours ${shown(ours)}`);
    return;
  }
  if (member === "managedFields") return compareOwners(listOf(recorded), listOf(ours), path, found);
  if (accidental.has(member)) return;
  if (Array.isArray(recorded)) return compareLists(recorded, listOf(ours), member, path, found);
  if (isRecord(recorded)) return compareRecords(recorded, recordOf(ours), path, found);
  if (normalized(recorded) !== normalized(ours))
    found.push(`${path}: recorded ${shown(recorded)}, ours ${shown(ours)}`);
}

function compareRecords(recorded: JsonRecord, ours: JsonRecord, path: string, found: string[]): void {
  if (machine.has(path.slice(path.lastIndexOf(".") + 1)) && !path.includes("spec")) return;
  // The message of a Status is compared like every other text; only its numbers and names are an accident.
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(ours)])) {
    if (recorded[key] === undefined && ours[key] === undefined) continue;
    compare(recorded[key], ours[key], `${path}.${key}`, found);
  }
}

function compareLists(
  recorded: readonly unknown[],
  ours: readonly unknown[],
  member: string,
  path: string,
  found: string[],
): void {
  if (machine.has(member) && !path.includes("spec")) return;
  const [left, right] = [arranged(recorded), arranged(ours)];
  if (left.length !== right.length) {
    found.push(`${path}: recorded ${left.length} entries, ours ${right.length}`);
    return;
  }
  for (const [index, item] of left.entries()) compare(item, right[index], `${path}[${index}]`, found);
}

/** Conditions and listed objects come in the order of chance; they are compared by type and by name. */
function arranged(items: readonly unknown[]): readonly unknown[] {
  const keyOf = (item: unknown): string => {
    const record = recordOf(item);
    return stringOf(record["type"]) || normalized(stringOf(recordOf(record["metadata"])["name"]));
  };
  return items.every((item) => keyOf(item) !== "") ? items.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)) : items;
}

/** Owners that are people and programs, with the exact fields; those of controllers depend on how they batch. */
function compareOwners(recorded: readonly unknown[], ours: readonly unknown[], path: string, found: string[]): void {
  const owners = (list: readonly unknown[]): Map<string, string> =>
    new Map(
      list
        .map(recordOf)
        .filter((entry) => !controllers.has(stringOf(entry["manager"])))
        .map((entry) => [
          [
            entry["manager"],
            entry["operation"],
            entry["apiVersion"],
            entry["subresource"] ?? "",
            entry["time"] === undefined,
          ].join(" "),
          normalized(sortedText(entry["fieldsV1"])),
        ]),
    );
  const [left, right] = [owners(recorded), owners(ours)];
  for (const owner of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(owner) === right.get(owner)) continue;
    found.push(`${path} ${owner}: recorded ${left.get(owner) ?? "nothing"}, ours ${right.get(owner) ?? "nothing"}`);
  }
}

function sortedText(value: unknown): string {
  if (!isRecord(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((key) => `${JSON.stringify(key)}:${sortedText(value[key])}`);
  return `{${members.join(",")}}`;
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return "list";
  return value === null ? "null" : typeof value;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

/** A text without what differs from run to run: uids, times, addresses, versions, generated suffixes. */
export function normalized(value: unknown): string {
  return String(value)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uid>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "<time>")
    .replace(/\b10\.\d+\.\d+\.\d+\b/g, "<ip>")
    .replace(/\.[0-9a-f]{16}\b/g, ".<event>")
    .replace(/(current: |ResourceVersion in record \()\d+/g, "$1<version>")
    .replace(/-[bcdfghjklmnpqrstvwxz2456789]{6,10}(-[bcdfghjklmnpqrstvwxz2456789]{5})?(?![a-z0-9])/g, "-<generated>")
    .replace(/-[bcdfghjklmnpqrstvwxz2456789]{5}(?![a-z0-9])/g, "-<generated>")
    .replace(/^[bcdfghjklmnpqrstvwxz2456789]{8,10}$/, "<hash>");
}
