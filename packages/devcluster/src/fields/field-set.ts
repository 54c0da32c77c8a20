import { isRecord, type JsonRecord } from "../kube/json.ts";
import { showElement, type PathElement } from "./path.ts";

/**
 * A set of field paths as a tree. `isMember` says that the path ending here is in the set itself; a list entry can be a
 * member and have members below it. Sets are values: every function answers a new one.
 */
export interface FieldSet {
  readonly isMember: boolean;
  readonly children: ReadonlyMap<PathElement, FieldSet>;
}

export const noFields: FieldSet = { isMember: false, children: new Map() };

export function isEmptySet(set: FieldSet): boolean {
  return !set.isMember && set.children.size === 0;
}

function make(isMember: boolean, children: ReadonlyMap<PathElement, FieldSet>): FieldSet {
  return !isMember && children.size === 0 ? noFields : { isMember, children };
}

function combine(
  a: FieldSet,
  b: FieldSet,
  isMember: (inA: boolean, inB: boolean) => boolean,
  elements: Iterable<PathElement>,
): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const element of elements) {
    const child = combine(
      a.children.get(element) ?? noFields,
      b.children.get(element) ?? noFields,
      isMember,
      keysOf(a.children.get(element), b.children.get(element)),
    );
    if (!isEmptySet(child)) children.set(element, child);
  }
  return make(isMember(a.isMember, b.isMember), children);
}

function keysOf(a: FieldSet | undefined, b: FieldSet | undefined): Set<PathElement> {
  return new Set([...(a?.children.keys() ?? []), ...(b?.children.keys() ?? [])]);
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(a)) return b;
  if (isEmptySet(b)) return a;
  return combine(a, b, (inA, inB) => inA || inB, keysOf(a, b));
}

export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmptySet(b) || isEmptySet(a)) return a;
  return combine(a, b, (inA, inB) => inA && !inB, a.children.keys());
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return combine(a, b, (inA, inB) => inA && inB, a.children.keys());
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a.isMember !== b.isMember || a.children.size !== b.children.size) return false;
  for (const [element, child] of a.children) if (!equalSets(child, b.children.get(element) ?? noFields)) return false;
  return true;
}

/** The set without one whole branch, given by its elements. */
export function withoutBranch(set: FieldSet, [first, ...rest]: readonly PathElement[]): FieldSet {
  const child = first === undefined ? undefined : set.children.get(first);
  if (first === undefined || child === undefined) return set;
  const children = new Map(set.children);
  const remaining = rest.length === 0 ? noFields : withoutBranch(child, rest);
  if (isEmptySet(remaining)) children.delete(first);
  else children.set(first, remaining);
  return make(set.isMember, children);
}

/** Only the named top-level branches. */
export function onlyBranches(set: FieldSet, elements: readonly PathElement[]): FieldSet {
  return make(false, new Map([...set.children].filter(([element]) => elements.includes(element))));
}

/** Collects paths one by one; the only mutable form of a set, used while walking a value. */
export class FieldSetBuilder {
  isMember = false;
  readonly children = new Map<PathElement, FieldSetBuilder>();

  child(element: PathElement): FieldSetBuilder {
    const known = this.children.get(element);
    if (known !== undefined) return known;
    const made = new FieldSetBuilder();
    this.children.set(element, made);
    return made;
  }

  done(): FieldSet {
    const children = new Map<PathElement, FieldSet>();
    for (const [element, builder] of this.children) {
      const child = builder.done();
      if (!isEmptySet(child)) children.set(element, child);
    }
    return make(this.isMember, children);
  }
}

/** The stored form: a member without children is `{}`, one with children has a `.` beside them. */
export function toFieldsV1(set: FieldSet): JsonRecord {
  const result: JsonRecord = {};
  if (set.isMember && set.children.size > 0) result["."] = {};
  for (const element of [...set.children.keys()].sort()) {
    const child = set.children.get(element);
    if (child !== undefined) result[element] = toFieldsV1(child);
  }
  return result;
}

export function fromFieldsV1(fields: unknown): FieldSet {
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of Object.entries(isRecord(fields) ? fields : {})) {
    if (element === ".") continue;
    const isLeaf = isRecord(child) && Object.keys(child).length === 0;
    children.set(element, isLeaf ? { isMember: true, children: new Map() } : branch(child));
  }
  return make(false, children);
}

function branch(fields: unknown): FieldSet {
  const set = fromFieldsV1(fields);
  return isRecord(fields) && "." in fields ? { ...set, isMember: true } : set;
}

/** All member paths as text (`.spec.containers[name="web"].image`), sorted. */
export function pathTexts(set: FieldSet, prefix = ""): string[] {
  const own = set.isMember ? [prefix] : [];
  const below = [...set.children].flatMap(([element, child]) => pathTexts(child, `${prefix}${showElement(element)}`));
  return [...own, ...below].sort();
}
