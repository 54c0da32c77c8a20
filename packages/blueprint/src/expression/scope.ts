/** Types of the expression language that our names have. `dyn` is known only when it is evaluated. */
export type FieldType = "string" | "int" | "double" | "bool" | "dyn";

export interface Fields {
  readonly [name: string]: FieldType | Fields;
}

/** The names that an expression may say, by its first part: `parameters`, `env`, `instance` … */
export interface Scope {
  readonly roots: Fields;
  /** Names not listed are allowed and their types unknown: somebody else's driver would evaluate this expression. */
  readonly open: boolean;
}

/** What an expression may come to. Whole numbers are bigint. */
export type ExpressionValue = string | bigint | number | boolean;

export interface ValueTree {
  readonly [name: string]: ExpressionValue | ValueTree;
}

/** What is wrong with an expression; `offset` counts UTF-16 units from the beginning of its text. */
export interface Problem {
  readonly code: "EXPRESSION" | "UNDECLARED_PARAMETER" | "UNDECLARED_SETTING";
  readonly offset: number;
  readonly message: string;
}
