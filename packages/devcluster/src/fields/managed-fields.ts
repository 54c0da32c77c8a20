import { deepEqual, isRecord, type JsonRecord } from "../kube/json.ts";
import { timestamp, type ManagedFieldsEntry } from "../kube/object.ts";
import { ApiError } from "../kube/status.ts";
import type { StructNode } from "../schema/schema.ts";
import {
  difference,
  equalSets,
  fromFieldsV1,
  intersection,
  isEmptySet,
  noFields,
  onlyBranches,
  pathTexts,
  toFieldsV1,
  union,
  withoutBranch,
  type FieldSet,
} from "./field-set.ts";
import { mergeApplied, pruneUnowned } from "./merge.ts";
import { compareValues, fieldsOf } from "./walk.ts";

/** Who writes. Manager, operation, subresource and apiVersion together are one owner. */
export interface Writer {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
}

interface Owner extends Writer {
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

export interface Ownership {
  readonly type: StructNode;
  /** The branches that this endpoint may write; null for all except `status`, which has an endpoint of its own. */
  readonly onlyBranch: "status" | null;
  readonly hasStatus: boolean;
}

function sameOwner(a: Writer, b: Writer): boolean {
  const isSame = a.manager === b.manager && a.operation === b.operation;
  return isSame && a.apiVersion === b.apiVersion && a.subresource === b.subresource;
}

function readOwners(entries: readonly ManagedFieldsEntry[] | undefined): Owner[] {
  return (entries ?? []).map((entry) => ({
    manager: entry.manager,
    operation: entry.operation,
    apiVersion: entry.apiVersion,
    subresource: entry.subresource ?? "",
    time: entry.time,
    fields: fromFieldsV1(entry.fieldsV1),
  }));
}

function writeOwners(owners: readonly Owner[]): ManagedFieldsEntry[] {
  return owners
    .filter((owner) => !isEmptySet(owner.fields))
    .toSorted(
      (a, b) =>
        compareText(a.operation, b.operation) ||
        compareText(a.time ?? "", b.time ?? "") ||
        compareText(a.manager, b.manager) ||
        compareText(a.apiVersion, b.apiVersion) ||
        compareText(a.subresource, b.subresource),
    )
    .map((owner) => ({
      manager: owner.manager,
      operation: owner.operation,
      apiVersion: owner.apiVersion,
      ...(owner.time === undefined ? {} : { time: owner.time }),
      fieldsType: "FieldsV1",
      fieldsV1: toFieldsV1(owner.fields),
      ...(owner.subresource === "" ? {} : { subresource: owner.subresource }),
    }));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Members that the server sets itself and nobody owns. */
const serverSet = [
  ["f:apiVersion"],
  ["f:kind"],
  ...[
    ["name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields", "resourceVersion"],
    ["deletionTimestamp", "deletionGracePeriodSeconds"],
  ]
    .flat()
    .map((name) => ["f:metadata", `f:${name}`]),
];

function ownable(fields: FieldSet, ownership: Ownership): FieldSet {
  let set = fields;
  for (const branch of serverSet) set = withoutBranch(set, branch);
  const metadata = set.children.get("f:metadata");
  if (metadata?.isMember === true && metadata.children.size === 0) set = withoutBranch(set, ["f:metadata"]);
  if (ownership.onlyBranch === "status") return onlyBranches(set, ["f:status"]);
  return ownership.hasStatus ? withoutBranch(set, ["f:status"]) : set;
}

/** Plain writes have no conflicts: what they change becomes theirs, and the former owners lose it. */
export function ownersAfterUpdate(
  ownership: Ownership,
  live: JsonRecord,
  next: JsonRecord,
  entries: readonly ManagedFieldsEntry[] | undefined,
  writer: Writer,
): ManagedFieldsEntry[] {
  const { added, modified, removed } = compareValues(ownership.type, live, next);
  const taken = union(added, modified);
  const owners = readOwners(entries);
  const own = owners.find((owner) => sameOwner(owner, writer));
  const before = own?.fields ?? noFields;
  const after = ownable(difference(union(before, taken), removed), ownership);
  const others = owners
    .filter((owner) => owner !== own)
    .map((owner) => ({ ...owner, fields: difference(difference(owner.fields, taken), removed) }));
  const isUnchanged = own !== undefined && isEmptySet(taken) && isEmptySet(removed);
  return writeOwners([...others, { ...writer, time: isUnchanged ? own.time : timestamp(), fields: after }]);
}

export interface Applied {
  readonly value: JsonRecord;
  readonly entries: (next: JsonRecord) => ManagedFieldsEntry[];
}

/**
 * Server-side apply: merges the configuration into the live object, removes what the manager no longer applies, and
 * refuses (409) to change fields of other owners unless forced. `entries` is asked after the defaults were filled in,
 * because the manager's time moves only if the object changed.
 */
export function applyConfiguration(
  ownership: Ownership,
  live: JsonRecord,
  config: JsonRecord,
  entries: readonly ManagedFieldsEntry[] | undefined,
  writer: Writer,
  isForced: boolean,
  convert: (value: JsonRecord) => JsonRecord,
): Applied {
  const { type } = ownership;
  const owners = readOwners(entries);
  const own = owners.find((owner) => sameOwner(owner, writer));
  const others = owners.filter((owner) => owner !== own);
  const fields = ownable(fieldsOf(type, config), ownership);
  const owned = others.reduce((sum, owner) => union(sum, owner.fields), fields);
  const merged = mergeApplied(type, live, config);
  const pruned = pruneUnowned(type, merged, own?.fields ?? noFields, owned);
  const value = convert(isRecord(pruned) ? pruned : {});
  const { added, modified, removed } = compareValues(type, live, value);
  const taken = union(added, modified);
  const conflicts = others.map((owner) => ({ owner, fields: intersection(owner.fields, taken) }));
  const real = conflicts.filter((item) => !isEmptySet(item.fields));
  if (!isForced && real.length > 0) throw conflictError(real);
  const remaining = others.map((owner) => ({ ...owner, fields: difference(difference(owner.fields, taken), removed) }));
  return {
    value,
    entries: (next): ManagedFieldsEntry[] => {
      const isSame = own !== undefined && equalSets(own.fields, fields) && sameContent(live, next);
      return writeOwners([...remaining, { ...writer, time: isSame ? own.time : timestamp(), fields }]);
    },
  };
}

function sameContent(a: JsonRecord, b: JsonRecord): boolean {
  const plain = (value: JsonRecord): JsonRecord => {
    const metadata = isRecord(value["metadata"]) ? value["metadata"] : {};
    return { ...value, metadata: { ...metadata, managedFields: undefined } };
  };
  return deepEqual(plain(a), plain(b));
}

function conflictError(conflicts: readonly { readonly owner: Owner; readonly fields: FieldSet }[]): ApiError {
  const described = conflicts
    .map(({ owner, fields }) => ({ owner, paths: pathTexts(fields), text: describeOwner(owner) }))
    .toSorted((a, b) => compareText(a.text, b.text));
  const causes = described
    .flatMap(({ paths, text }) =>
      paths.map((field) => ({ reason: "FieldManagerConflict", message: `conflict with ${text}`, field })),
    )
    .toSorted((a, b) => compareText(a.field, b.field));
  const [first] = causes;
  const list =
    causes.length === 1 && first !== undefined
      ? `${first.message}: ${first.field}`
      : described
          .map(({ paths, text }) => `conflicts with ${text}:\n${paths.map((path) => `- ${path}`).join("\n")}`)
          .join("\n");
  const message = `Apply failed with ${causes.length} conflict${causes.length === 1 ? "" : "s"}: ${list}`;
  return new ApiError(409, "Conflict", message, { details: { causes } });
}

/** Owners by apply are named alone; owners by update also by subresource and version, and time is left out. */
function describeOwner(owner: Owner): string {
  const subresource = owner.subresource === "" ? "" : ` with subresource "${owner.subresource}"`;
  const version = owner.operation === "Update" ? ` using ${owner.apiVersion}` : "";
  return `"${owner.manager}"${subresource}${version}`;
}
