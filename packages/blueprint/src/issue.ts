import type { Path, Source } from "./position.ts";

/** Why a definition is refused or questioned. Closed: a new code needs a sentence in the README. */
export type BlueprintIssueCode =
  | "TOO_LARGE"
  | "TOO_COMPLEX"
  | "SYNTAX"
  | "ALIAS"
  | "TAG"
  | "DUPLICATE_KEY"
  | "FORBIDDEN_KEY"
  | "MULTIPLE_DOCUMENTS"
  | "INVALID_VALUE"
  | "UNKNOWN_FIELD"
  | "POD_SECURITY"
  | "IMAGE"
  | "DUPLICATE_NAME"
  | "UNKNOWN_NAME"
  | "SHARE"
  | "EXPRESSION"
  | "INJECTION"
  | "UNDECLARED_PARAMETER"
  | "UNDECLARED_SETTING"
  | "UNPRICED_VALUE"
  | "UNMAPPED_VALUE"
  | "NO_DRIVER"
  | "NOTHING_TO_RUN"
  | "NOT_EXPOSED"
  | "LICENSE"
  | "AGREEMENT_REQUIRED"
  | "URL_BLOCKED"
  | "NO_PRICE";

export interface BlueprintIssue {
  readonly code: BlueprintIssueCode;
  readonly severity: "error" | "warning";
  /** Where in the definition, for instance `resources[0].image`; empty for the whole. */
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
}

/** A definition that cannot be read, or an expression of it that cannot be evaluated. The message names the first issue. */
export class BlueprintError extends Error {
  override readonly name: string = "BlueprintError";
  readonly issues: readonly BlueprintIssue[];
  /** Of the first issue. */
  readonly code: BlueprintIssueCode;

  constructor(issues: readonly BlueprintIssue[], filename?: string) {
    super(describeIssues(issues, filename));
    this.issues = issues;
    this.code = issues[0]?.code ?? "INVALID_VALUE";
  }
}

/** No price matches the chosen value of a priced target. Never read as free. */
export class BlueprintPriceError extends BlueprintError {
  override readonly name = "BlueprintPriceError";
  override readonly code = "NO_PRICE";
  /** The target as written, for instance `${parameters.plan}`. */
  readonly target: string;
  /** What was chosen; null when nothing was. */
  readonly value: string | null;

  constructor(issue: BlueprintIssue, target: string, value: string | null, filename?: string) {
    super([issue], filename);
    this.target = target;
    this.value = value;
  }
}

/** `file:line:column: message`, as editors and terminals link it. */
export function formatIssue(issue: BlueprintIssue, filename = "blueprint"): string {
  const where = issue.path === "" ? "" : `${issue.path}: `;
  return `${filename}:${issue.line}:${issue.column}: ${issue.severity} ${issue.code}: ${where}${issue.message}`;
}

function describeIssues(issues: readonly BlueprintIssue[], filename?: string): string {
  const first = issues[0];
  if (first === undefined) return "The definition is not valid.";
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return formatIssue(first, filename) + more;
}

const plainKey = /^[A-Za-z_][A-Za-z0-9_-]*$/;

/** `["resources", 0, "env", "A B"]` becomes `resources[0].env["A B"]`. */
export function formatPath(path: Path): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (plainKey.test(part)) text += text === "" ? part : `.${part}`;
    else text += `[${JSON.stringify(part)}]`;
  }
  return text;
}

export interface IssueInput {
  readonly code: BlueprintIssueCode;
  readonly path: Path;
  readonly message: string;
  readonly severity?: "error" | "warning";
  /** Position inside the scalar at `path`, in UTF-16 units of its value. */
  readonly offset?: number;
  /** Point at the key, not at what it holds. */
  readonly atKey?: boolean;
}

export function issueAt(source: Source, input: IssueInput): BlueprintIssue {
  const place = { ...(input.offset !== undefined && { offset: input.offset }), atKey: input.atKey ?? false };
  const { line, column } = source.locate(input.path, place);
  const { code, message, severity = "error" } = input;
  return { code, severity, path: formatPath(input.path), line, column, message };
}
