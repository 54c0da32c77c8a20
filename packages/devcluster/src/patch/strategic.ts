import { isRecord, listOf, stringOf, type JsonRecord } from "../kube/json.ts";
import { memberType } from "../fields/walk.ts";
import type { ListNode, TypeNode } from "../schema/schema.ts";

/**
 * Strategic merge patch: like a merge patch, but lists that have a merge key are merged entry by entry. `$patch: replace`
 * and `$patch: delete` are understood, `$deleteFromPrimitiveList` and `$setElementOrder` too.
 */
export function strategicPatch(type: TypeNode, target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch;
  const directive = patch["$patch"];
  if (directive === "delete") return {};
  if (directive === "replace") return withoutDirectives(patch);
  const result: JsonRecord = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) {
      patchDirective(result, key, value);
      continue;
    }
    if (value === null) {
      delete result[key];
      continue;
    }
    const member = type.type === "struct" || type.type === "map" ? memberType(type, key) : type;
    result[key] =
      Array.isArray(value) && member.type === "list"
        ? mergeList(member, listOf(result[key]), value)
        : strategicPatch(member, result[key], value);
  }
  return result;
}

function withoutDirectives(patch: JsonRecord): JsonRecord {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => !key.startsWith("$")));
}

function patchDirective(result: JsonRecord, key: string, value: unknown): void {
  const [directive, member = ""] = key.split("/");
  if (directive === "$deleteFromPrimitiveList") {
    result[member] = listOf(result[member]).filter((item) => !listOf(value).includes(item));
  }
  if (directive === "$retainKeys") {
    for (const name of Object.keys(result)) if (!listOf(value).includes(name)) delete result[name];
  }
}

function mergeList(type: ListNode, target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  if (!type.isPatchMerged || patch.some((item) => isRecord(item) && item["$patch"] === "replace")) {
    return patch.filter((item) => !(isRecord(item) && item["$patch"] === "replace"));
  }
  const key = type.patchMergeKey;
  if (key === null) return [...target, ...patch.filter((item) => !target.includes(item))];
  const result = [...target];
  const added: unknown[] = [];
  for (const item of patch) {
    if (!isRecord(item)) continue;
    const index = result.findIndex((existing) => isRecord(existing) && existing[key] === item[key]);
    if (stringOf(item["$patch"]) === "delete") {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) {
      result[index] = strategicPatch(type.items, result[index], item);
    } else {
      added.push(strategicPatch(type.items, undefined, item));
    }
  }
  // Entries that only the patch has stand before those that were there.
  return [...added, ...result];
}
