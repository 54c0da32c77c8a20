import { coreConfigShape, databaseUrl, parseEnvironment, toAddressRanges } from "@sewa/core";
import { z } from "zod";

const ranges = z
  .string()
  .default("")
  .transform((text) => text.split(",").flatMap((range) => range.trim() || []))
  .refine(areRanges, "Not ranges such as 10.0.0.0/8, separated by commas.");

function areRanges(list: readonly string[]): boolean {
  try {
    toAddressRanges(list);
    return true;
  } catch {
    return false;
  }
}

/** Every variable of the command. Each command reads only those that it needs. */
export const envSchema = z.object({
  ...coreConfigShape,
  PORTAL_URL: coreConfigShape.PORTAL_URL.optional(),
  SECRETS_KEYRING: coreConfigShape.SECRETS_KEYRING.optional(),
  DATABASE_URL: databaseUrl,
  SEWA_API_URL: z
    .url({ protocol: /^https?$/, error: "Not an address like https://api.example.com." })
    .transform((url) => new URL(url).origin)
    .default("http://127.0.0.1:3000"),
  /** Beside the public ones, for addresses that blueprints name: the operator's own registry. */
  OUTGOING_ALLOWED_RANGES: ranges,
  /** An API token, or a session's, instead of the one that `sewa login` keeps. */
  SEWA_TOKEN: z.string().optional(),
  /** For which organization the customers' commands speak, unless they say it themselves. */
  SEWA_ORGANIZATION: z.string().optional(),
});

const clientSchema = envSchema.pick({ SEWA_API_URL: true, SEWA_TOKEN: true, SEWA_ORGANIZATION: true });
const outgoingSchema = envSchema.pick({ OUTGOING_ALLOWED_RANGES: true });
const databaseSchema = envSchema.pick({ DATABASE_URL: true });
const operatorSchema = envSchema.omit({
  SEWA_API_URL: true,
  SEWA_TOKEN: true,
  SEWA_ORGANIZATION: true,
  OUTGOING_ALLOWED_RANGES: true,
});

export type OperatorEnv = z.infer<typeof operatorSchema>;

/** Each throws a `ConfigurationError` with all problems at once. */
export const readClientEnv = (): z.infer<typeof clientSchema> => parseEnvironment(clientSchema, process.env);
export const readOutgoingEnv = (): z.infer<typeof outgoingSchema> => parseEnvironment(outgoingSchema, process.env);
export const readDatabaseEnv = (): z.infer<typeof databaseSchema> => parseEnvironment(databaseSchema, process.env);
export const readOperatorEnv = (): OperatorEnv => parseEnvironment(operatorSchema, process.env);
