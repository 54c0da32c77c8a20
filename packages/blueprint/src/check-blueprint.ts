import type { Finding } from "./checks/finding.ts";
import { checkNames } from "./checks/names.ts";
import { checkExpressions } from "./checks/expressions.ts";
import { checkParameters } from "./checks/parameters.ts";
import { checkPrices } from "./checks/prices.ts";
import { checkOffering } from "./checks/offering.ts";
import { checkScripts } from "./checks/scripts.ts";
import { issueAt } from "./issue.ts";
import type { BlueprintIssue } from "./issue.ts";
import type { Blueprint } from "./parse-blueprint.ts";

/**
 * Whether a definition that could be read can also be sold. Issues come in the order of the text.
 * In mode `check` what is merely unfinished is a warning; in mode `publish` it is an error. Publishable means that no
 * issue has the severity `error`.
 * `agreement` is the operator's reference to an agreement with the app's vendor, as the catalog's offering names it. A
 * licence that needs one and has none is AGREEMENT_REQUIRED.
 */
export function checkBlueprint(
  blueprint: Blueprint,
  mode: "check" | "publish",
  options: { readonly agreement?: string | undefined } = {},
): BlueprintIssue[] {
  const { definition, source } = blueprint;
  const findings: Finding[] = [
    ...checkNames(definition),
    ...checkParameters(definition),
    ...checkExpressions(definition),
    ...checkScripts(definition),
    ...checkPrices(definition),
    ...checkOffering(definition, options.agreement ?? null),
  ];
  return findings
    .map(({ level, ...finding }) => issueAt(source, { ...finding, severity: severityOf(level, mode) }))
    .toSorted((a, b) => a.line - b.line || a.column - b.column);
}

function severityOf(level: Finding["level"], mode: "check" | "publish"): "error" | "warning" {
  if (level === "tolerable") return mode === "publish" ? "error" : "warning";
  return level === "error" ? "error" : "warning";
}
