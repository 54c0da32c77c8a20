import { contentHash } from "../render/hash.ts";
import type { LiveObject } from "../observe/wire.ts";

/** Fields that others change in the course of an object's life without changing what we asked for. */
const foreign = new Set(["apiVersion", "kind", "metadata", "status"]);

/**
 * Hash of what was asked for as the server keeps it: spec, data and whatever else is neither metadata nor status, with
 * the labels and our own annotations. The answer to an apply and every later sight of the object hash alike, unless
 * someone changed something: that is drift.
 */
export function liveHash(object: LiveObject): string {
  const { labels, annotations } = object.metadata;
  const ours = Object.entries(annotations ?? {}).filter(([key]) => key.startsWith("sewa.dev/"));
  const content = Object.entries(object).filter(([key]) => !foreign.has(key));
  return contentHash([labels ?? {}, Object.fromEntries(ours), Object.fromEntries(content)]);
}
