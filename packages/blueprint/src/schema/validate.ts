import type { z } from "zod";
import { BlueprintError, issueAt } from "../issue.ts";
import type { BlueprintIssue, BlueprintIssueCode } from "../issue.ts";
import type { Path, Source } from "../position.ts";

/** Fields of a pod that a definition might hope for and that the restricted profile forbids. */
const forbiddenPodFields = new Set(
  "privileged hostNetwork hostPID hostIPC hostPath hostPort capabilities allowPrivilegeEscalation seccompProfile serviceAccountName volumeMounts securityContext procMount".split(
    " ",
  ),
);

/** What `schema` makes of the value, or issues with line and column. `path` is where the value stands in the source. */
export function validate<T extends z.ZodType>(
  schema: T,
  value: unknown,
  source: Source,
  path: Path = [],
): { readonly data: z.output<T>; readonly issues: [] } | { readonly data: null; readonly issues: BlueprintIssue[] } {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return { data: result.data, issues: [] };
  const issues = result.error.issues.flatMap((issue) => toIssues(issue, source, path));
  return { data: null, issues };
}

function toIssues(issue: z.core.$ZodIssue, source: Source, base: Path): BlueprintIssue[] {
  const path = [...base, ...issue.path.map((part) => (typeof part === "symbol" ? String(part) : part))];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const forbidden = forbiddenPodFields.has(key);
      return issueAt(source, {
        code: forbidden ? "POD_SECURITY" : "UNKNOWN_FIELD",
        path: [...path, key],
        atKey: true,
        message: forbidden ? `${key} is not allowed under the restricted profile.` : `There is no field ${key} here.`,
      });
    });
  return [issueAt(source, { code: issueCode(issue), path, message: issueMessage(issue) })];
}

function issueCode(issue: z.core.$ZodIssue): BlueprintIssueCode {
  // Only our own refinements set params.code, always with a BlueprintIssueCode: see refusal() in fields.ts.
  if (issue.code === "custom" && issue.params?.["code"] !== undefined)
    return issue.params["code"] as BlueprintIssueCode;
  return "INVALID_VALUE";
}

function issueMessage(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type" && issue.input === undefined) return "This field is missing.";
  return issue.message;
}

/** Throws when anything was found. */
export function throwIssues(issues: readonly BlueprintIssue[], source: Source): void {
  if (issues.length > 0) throw new BlueprintError(issues, source.filename);
}
