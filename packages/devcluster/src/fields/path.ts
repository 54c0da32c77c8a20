import { canonicalJson, isRecord } from "../kube/json.ts";
import type { ListNode } from "../schema/schema.ts";

/**
 * Elements of field paths, in the notation in which managedFields store them: `f:name` for a member, `k:{…}` for an
 * entry of a keyed list, `v:…` for an entry of a set.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

/** Entries without their key share one element with the key null; validation refuses them afterwards. */
export function pathElement(list: ListNode, item: unknown): PathElement {
  if (list.listType === "set") return `v:${canonicalJson(item)}`;
  const record = isRecord(item) ? item : {};
  const key: Record<string, unknown> = {};
  for (const name of list.keys) key[name] = record[name] ?? list.keyDefaults[name] ?? null;
  return `k:${canonicalJson(key)}`;
}

/** The element as it stands in messages: `.name`, `[name="web"]`, `[=1]`. */
export function showElement(element: PathElement): string {
  const body = element.slice(2);
  if (element.startsWith("f:")) return `.${body}`;
  if (element.startsWith("v:")) return `[=${body}]`;
  const key = JSON.parse(body) as Record<string, unknown>;
  const parts = Object.entries(key).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${parts.join(",")}]`;
}
