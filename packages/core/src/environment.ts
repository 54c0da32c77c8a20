import { z } from "zod";

/** Says what is wrong with which variable, a line each; never a value, because values are secrets. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** The variables of a process by name, as `process.env` has them. */
export type EnvironmentSource = Readonly<Record<string, string | undefined>>;

/** A whole number from `minimum` to `maximum`. */
export function wholeNumber(minimum: number, maximum: number): z.ZodCoercedNumber {
  return z.coerce.number().int().min(minimum).max(maximum);
}

export const databaseUrl = z.url({
  protocol: /^postgres(ql)?$/,
  error: "Not an address like postgres://user@host/database.",
});

/** Of every process that stays: the database of the house, and how much it logs. */
export const processShape = {
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
};

/** Throws a `ConfigurationError` with all problems at once. A variable that is set to nothing counts as not set. */
export function parseEnvironment<T extends z.ZodType>(schema: T, source: EnvironmentSource): z.infer<T> {
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== "" && value !== undefined));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new ConfigurationError(
    parsed.error.issues.map(({ path, message }) => {
      const name = String(path[0]);
      return `${name}: ${given[name] === undefined ? "has to be set." : message}`;
    }),
  );
}
