import type { OwningHouse } from "@sewa/core";
import { labelKeys, manager } from "../render/names.ts";
import type { LiveObject } from "./wire.ts";

/** Which house an object's label names. Several may share a cluster. */
export function houseOf({ metadata }: LiveObject, houseId: string): OwningHouse {
  const named = metadata.labels?.[labelKeys.house];
  if (named === undefined) return "none";
  return named === houseId ? "own" : "other";
}

/** Carries our label, and not that of another house. One that names no house may be of a time when there was only one. */
export function isOurs(live: LiveObject, houseId: string): boolean {
  return live.metadata.labels?.[labelKeys.managedBy] === manager && houseOf(live, houseId) !== "other";
}
