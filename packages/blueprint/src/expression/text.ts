import { limits } from "../limits.ts";
import { createCompiler } from "./compile.ts";
import type { Evaluation } from "./compile.ts";
import type { ExpressionValue, Problem, Scope, ValueTree } from "./scope.ts";
import { parseTemplate } from "./template.ts";

/** Checks and evaluates texts that may hold `${…}`, over one scope. */
export interface Texts {
  /** What is wrong with the text's expressions; offsets count from the beginning of the text. */
  check(text: string): readonly Problem[];
  /** A text that is one expression comes to that expression's value; any other to a text. */
  evaluate(text: string, values: ValueTree): Evaluation;
}

export function createTexts(scope: Scope): Texts {
  const compile = createCompiler(scope);
  return {
    check(text) {
      const template = parseTemplate(text);
      if (!template.ok) return [{ code: "EXPRESSION", offset: template.offset, message: template.message }];
      return template.parts.flatMap((part) =>
        "literal" in part ? [] : compile(part.expression).problems.map((problem) => shift(problem, part.offset)),
      );
    },
    evaluate(text, values) {
      const template = parseTemplate(text);
      if (!template.ok)
        return { ok: false, problem: { code: "EXPRESSION", offset: template.offset, message: template.message } };
      const pieces: ExpressionValue[] = [];
      let characters = 0;
      for (const part of template.parts) {
        const piece = "literal" in part ? part.literal : compile(part.expression).evaluate(values);
        if (typeof piece === "object" && !piece.ok)
          return { ok: false, problem: shift(piece.problem, "offset" in part ? part.offset : 0) };
        const value = typeof piece === "object" ? piece.value : piece;
        characters += formatValue(value).length;
        if (characters > limits.resultCharacters)
          return { ok: false, problem: { code: "EXPRESSION", offset: 0, message: "Result is too long." } };
        pieces.push(value);
      }
      const [only] = pieces;
      return { ok: true, value: pieces.length === 1 && only !== undefined ? only : pieces.map(formatValue).join("") };
    },
  };
}

/** As it stands in a text: `10`, `0.5`, `true`. */
export function formatValue(value: ExpressionValue): string {
  return typeof value === "string" ? value : String(value);
}

function shift(problem: Problem, by: number): Problem {
  return { ...problem, offset: problem.offset + by };
}
