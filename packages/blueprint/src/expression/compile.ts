import { Environment } from "@marcbachmann/cel-js";
import type { ParseResult } from "@marcbachmann/cel-js";
import { limits } from "../limits.ts";
import { inspect } from "./inspect.ts";
import type { ExpressionValue, Fields, Problem, Scope, ValueTree } from "./scope.ts";

export type Evaluation =
  { readonly ok: true; readonly value: ExpressionValue } | { readonly ok: false; readonly problem: Problem };

export interface Compiled {
  /** Empty when the expression may be evaluated. */
  readonly problems: readonly Problem[];
  evaluate(values: ValueTree): Evaluation;
}

const resultTypes = new Set(["string", "int", "double", "bool", "dyn"]);

/** Returns a compiler of CEL expressions over one scope. It never throws: what is wrong comes back as problems. */
export function createCompiler(scope: Scope): (expression: string) => Compiled {
  const environment = createEnvironment(scope.roots, scope.open);
  return (expression) => {
    if (expression.length > limits.expressionCharacters) return refused("Too complex.", 0);
    const parsed = attempt(() => environment.parse(expression));
    if (!parsed.ok) return refused(parsed.message, parsed.offset);

    const { problems, undeclared } = inspect(parsed.value.ast, scope);
    if (problems.some(({ code }) => code === "EXPRESSION")) return withProblems(problems);
    // An undeclared name counts as of any type here, so that one slip is told once and the next is still found.
    const typed = undeclared.length === 0 ? parsed.value : retype(scope, undeclared, expression);
    const typeProblem = checkTypes(typed);
    const all = typeProblem === null ? problems : [...problems, typeProblem];
    return all.length > 0 ? withProblems(all) : { problems: [], evaluate: (values) => evaluate(parsed.value, values) };
  };
}

function createEnvironment(roots: Fields, open: boolean): Environment {
  const environment = new Environment({
    unlistedVariablesAreDyn: open,
    homogeneousAggregateLiterals: true,
    limits: {
      maxAstNodes: limits.expressionNodes,
      maxDepth: limits.expressionDepth,
      maxListElements: 50,
      maxMapEntries: 0,
      maxCallArguments: 4,
    },
  });
  for (const [name, fields] of Object.entries(roots)) {
    if (typeof fields === "string") environment.registerVariable(name, fields);
    else environment.registerVariable({ name, schema: fields });
  }
  return environment;
}

function retype(scope: Scope, undeclared: readonly (readonly [string, string])[], expression: string): ParseResult {
  const roots: Record<string, Fields[string]> = { ...scope.roots };
  for (const [root, name] of undeclared) {
    const fields = roots[root];
    if (typeof fields === "object") roots[root] = { ...fields, [name]: "dyn" };
  }
  return createEnvironment(roots, scope.open).parse(expression);
}

function checkTypes(parsed: ParseResult): Problem | null {
  const checked = parsed.check();
  if (!checked.valid) {
    const offset = checked.error?.range?.start ?? 0;
    return { code: "EXPRESSION", offset, message: sentence(checked.error?.summary ?? "The types do not fit") };
  }
  if (resultTypes.has(checked.type ?? "dyn")) return null;
  return { code: "EXPRESSION", offset: 0, message: `The result must be a text, a number, true or false.` };
}

function evaluate(program: ParseResult, values: ValueTree): Evaluation {
  const outcome = attempt((): unknown => program(values));
  if (!outcome.ok) return failed(outcome.message, outcome.offset);
  const result = outcome.value;
  if (typeof result === "bigint" || typeof result === "boolean") return { ok: true, value: result };
  if (typeof result === "number")
    return Number.isFinite(result) ? { ok: true, value: result } : failed("Result is not a finite number.");
  if (typeof result !== "string") return failed("The result must be a text, a number, true or false.");
  return result.length <= limits.resultCharacters ? { ok: true, value: result } : failed("Result is too long.");
}

type Attempt<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string; readonly offset: number };

function attempt<T>(action: () => T): Attempt<T> {
  try {
    return { ok: true, value: action() };
  } catch (error) {
    // The library's errors carry a code, a summary without the source excerpt, and the place. Anything else that it
    // throws is a weakness of its parser on strange input, and means the same to the author: not an expression.
    const { code, summary, range } = error as { code?: string; summary?: string; range?: { start: number } };
    const offset = range?.start ?? 0;
    if (code === "limit_exceeded") return { ok: false, message: "Too complex.", offset };
    if (code === "division_by_zero" || code === "modulo_by_zero")
      return { ok: false, message: "Result is not a finite number.", offset };
    return { ok: false, message: sentence(summary ?? "This is not an expression"), offset };
  }
}

function sentence(text: string): string {
  const trimmed = text.trim();
  return `${trimmed.slice(0, 1).toUpperCase()}${trimmed.slice(1, 300)}${trimmed.endsWith(".") ? "" : "."}`;
}

function failed(message: string, offset = 0): { readonly ok: false; readonly problem: Problem } {
  return { ok: false, problem: { code: "EXPRESSION", offset, message } };
}

function refused(message: string, offset: number): Compiled {
  return withProblems([{ code: "EXPRESSION", offset, message }]);
}

function withProblems(problems: readonly Problem[]): Compiled {
  const [first = { code: "EXPRESSION", offset: 0, message: "This is not an expression." } as const] = problems;
  return { problems, evaluate: () => ({ ok: false, problem: first }) };
}
