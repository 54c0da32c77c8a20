import { isRecord, type JsonRecord } from "../kube/json.ts";
import type { ListNode, TypeNode } from "../schema/schema.ts";
import { isEmptySet, noFields, type FieldSet } from "./field-set.ts";
import { fieldElement, pathElement, type PathElement } from "./path.ts";
import { entriesOf, isAtomic, memberType } from "./walk.ts";

/** Lays an applied configuration over the live object: scalars and atomic values win, maps and keyed lists merge. */
export function mergeApplied(type: TypeNode, live: unknown, config: unknown): unknown {
  if (live === undefined || live === null || type.type === "scalar" || isAtomic(type)) return config;
  if (type.type === "list") return mergeLists(type, live, config);
  if (!isRecord(live) || !isRecord(config)) return config;
  const result: JsonRecord = { ...live };
  for (const [key, value] of Object.entries(config))
    result[key] = mergeApplied(memberType(type, key), live[key], value);
  return result;
}

/**
 * The order of a keyed list: the applied entries stand in the order of the applier, entries of others keep their place
 * between them. Entries that both have are taken when the walk through the live list meets the next shared one.
 */
function mergeLists(type: ListNode, live: unknown, config: unknown): unknown[] {
  const left = [...entriesOf(type, live)];
  const right = [...entriesOf(type, config)];
  const leftByElement = new Map(left);
  const rightElements = new Set(right.map(([element]) => element));
  const shared = right.map(([element]) => element).filter((element) => leftByElement.has(element));
  const result: unknown[] = [];
  const take = (element: PathElement, item: unknown): void => {
    result.push(mergeApplied(type.items, leftByElement.get(element), item));
    if (leftByElement.has(element)) shared.shift();
  };
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const mine = left[i];
    const theirs = right[j];
    if (mine !== undefined && theirs !== undefined) {
      if (mine[0] === theirs[0]) {
        take(theirs[0], theirs[1]);
        i++;
        j++;
        continue;
      }
      if (rightElements.has(mine[0]) && shared[0] !== mine[0]) {
        i++;
        continue;
      }
    }
    if (mine !== undefined && !rightElements.has(mine[0])) {
      result.push(mine[1]);
      i++;
    } else if (theirs !== undefined) {
      take(theirs[0], theirs[1]);
      j++;
    } else {
      i++;
    }
  }
  return result;
}

/**
 * Takes away what the manager applied before and no longer applies, unless someone still owns it or something in it.
 * `last` is what the manager owned before, `owned` what all managers own now.
 */
export function pruneUnowned(type: TypeNode, value: unknown, last: FieldSet, owned: FieldSet): unknown {
  if (isEmptySet(last) || type.type === "scalar" || isAtomic(type)) return value;
  if (type.type === "list") {
    if (!Array.isArray(value)) return value;
    return value.flatMap((item: unknown): unknown[] => {
      const element = pathElement(type, item);
      const branch = last.children.get(element) ?? noFields;
      if (branch.isMember && !owned.children.has(element)) return [];
      return [pruneUnowned(type.items, item, branch, owned.children.get(element) ?? noFields)];
    });
  }
  if (!isRecord(value)) return value;
  const result: JsonRecord = {};
  for (const [key, item] of Object.entries(value)) {
    const element = fieldElement(key);
    const branch = last.children.get(element);
    // A member that the last configuration named goes as a whole, with defaults that nobody owns, once nobody is left.
    if (branch !== undefined && !owned.children.has(element)) continue;
    result[key] = pruneUnowned(
      memberType(type, key),
      item,
      branch ?? noFields,
      owned.children.get(element) ?? noFields,
    );
  }
  return result;
}
