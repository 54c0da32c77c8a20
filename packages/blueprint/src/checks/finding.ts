import type { IssueInput } from "../issue.ts";

/**
 * What a check found. `tolerable` may stand while the definition is written, and not when it is published; a `note` is
 * for the operator to decide about.
 */
export type Finding = Omit<IssueInput, "severity"> & { readonly level: "error" | "tolerable" | "note" };
