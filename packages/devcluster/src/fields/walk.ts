import { deepEqual, isRecord, type JsonRecord } from "../kube/json.ts";
import type { ListNode, StructNode, MapNode, TypeNode } from "../schema/schema.ts";
import { FieldSetBuilder, type FieldSet } from "./field-set.ts";
import { fieldElement, pathElement, type PathElement } from "./path.ts";

/** The fields that an applied configuration speaks about; its manager owns exactly these. */
export function fieldsOf(type: TypeNode, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  collect(type, value, builder);
  return builder.done();
}

function collect(type: TypeNode, value: unknown, into: FieldSetBuilder): void {
  if (type.type === "scalar" || isAtomic(type)) {
    into.isMember = true;
    return;
  }
  if (type.type === "list") {
    for (const item of Array.isArray(value) ? value : []) {
      const child = into.child(pathElement(type, item));
      collect(type.items, item, child);
      child.isMember = true;
    }
    return;
  }
  for (const [key, item] of Object.entries(isRecord(value) ? value : {})) {
    const child = into.child(fieldElement(key));
    collect(memberType(type, key), item, child);
    const isEmpty = item === null || (isRecord(item) && Object.keys(item).length === 0);
    if (isEmpty || type.type === "map") child.isMember = true;
  }
}

export function isAtomic(type: TypeNode): boolean {
  return type.type === "list" ? type.listType === "atomic" : type.type !== "scalar" && type.isAtomic;
}

const anything: TypeNode = { type: "scalar", scalar: "any", format: "" };

export function memberType(type: StructNode | MapNode, key: string): TypeNode {
  return (type.type === "struct" ? type.fields.get(key) : type.values) ?? anything;
}

/** Entries of a keyed list or set under their path elements; of several with one key the last counts. */
export function entriesOf(list: ListNode, value: unknown): Map<PathElement, unknown> {
  return new Map((Array.isArray(value) ? value : []).map((item: unknown) => [pathElement(list, item), item]));
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What changed from one state of an object to the next, as sets of fields. */
export function compareValues(type: TypeNode, before: JsonRecord, after: JsonRecord): Comparison {
  const added = new FieldSetBuilder();
  const modified = new FieldSetBuilder();
  const removed = new FieldSetBuilder();
  compare(type, before, after, { added, modified, removed });
  return { added: added.done(), modified: modified.done(), removed: removed.done() };
}

interface Builders {
  readonly added: FieldSetBuilder;
  readonly modified: FieldSetBuilder;
  readonly removed: FieldSetBuilder;
}

function descend(builders: Builders, element: PathElement): Builders {
  return {
    added: builders.added.child(element),
    modified: builders.modified.child(element),
    removed: builders.removed.child(element),
  };
}

function compare(type: TypeNode, before: unknown, after: unknown, into: Builders): void {
  if (before === after) return;
  if (before === undefined) into.added.isMember = true;
  else if (after === undefined) into.removed.isMember = true;
  if (type.type === "scalar" || isAtomic(type)) {
    if (before !== undefined && after !== undefined && !deepEqual(before, after)) into.modified.isMember = true;
    return;
  }
  if (type.type === "list") {
    const left = entriesOf(type, before);
    const right = entriesOf(type, after);
    for (const element of new Set([...left.keys(), ...right.keys()])) {
      compare(type.items, left.get(element), right.get(element), descend(into, element));
    }
    return;
  }
  const left = isRecord(before) ? before : {};
  const right = isRecord(after) ? after : {};
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
    compare(memberType(type, key), left[key], right[key], descend(into, fieldElement(key)));
  }
}
