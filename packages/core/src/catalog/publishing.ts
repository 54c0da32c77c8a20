import { checkBlueprint, parseBlueprint } from "@sewa/blueprint";
import type { FieldIssue } from "../errors.ts";

/** Whether it can be ordered. */
export const shelfStates = ["published", "hidden", "withdrawn", "draft"] as const;
export type ShelfState = (typeof shelfStates)[number];

export interface ShelfFacts {
  /** What the files of the catalog say. */
  readonly status: "published" | "hidden";
  readonly hiddenAt: Date | null;
  /** Something without which it cannot be ordered is missing. */
  readonly isIncomplete: boolean;
}

/**
 * withdrawn: no longer in the files of the catalog, which only `applyCatalog` changes.
 * hidden: an operator hides it, whatever the files say, until they publish it.
 * draft: nothing hides it, and it has no price in the currency of the house.
 * published: can be ordered.
 */
export function deriveShelfState({ status, hiddenAt, isIncomplete }: ShelfFacts): ShelfState {
  if (status === "hidden") return "withdrawn";
  if (hiddenAt !== null) return "hidden";
  return isIncomplete ? "draft" : "published";
}

/** Why this version may not be sold today, by the checks of today: an agreement that is missing, an image that is not pinned. */
export function listObstacles(source: string, agreement: string | null): readonly FieldIssue[] {
  return checkBlueprint(parseBlueprint(source), "publish", { agreement: agreement ?? undefined })
    .filter(({ severity }) => severity === "error")
    .map(({ path, code, message }) => ({ path, message: `${code}: ${message}` }));
}
