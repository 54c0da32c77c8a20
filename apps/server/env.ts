import {
  coreConfigShape,
  type EnvironmentSource,
  gatewayShape,
  parseEnvironment,
  processShape,
  requireWholeGateway,
  wholeNumber,
} from "@sewa/core";
import { z } from "zod";
import { requireWholeSignIn, signInShape } from "./sign-in/sign-in-env.ts";

const webUrl = z
  .url({ protocol: /^https?$/, error: "Not an address like https://api.example.com." })
  .transform((url) => new URL(url).origin);

/** `https://a.example,https://b.example:8443`: scheme and host, as browsers send them. */
const origins = z.string().transform((text, context): readonly string[] => {
  const list = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const wrong = list.findIndex((entry) => !URL.canParse(entry) || new URL(entry).origin !== entry.replace(/\/$/, ""));
  if (wrong < 0) return list.map((entry) => new URL(entry).origin);
  context.addIssue({ code: "custom", message: `Entry ${wrong + 1} is not an origin like https://portal.example.com.` });
  return z.NEVER;
});

/** Every variable of the server. Read once, at start. */
export const envSchema = z
  .object({
    ...coreConfigShape,
    ...gatewayShape,
    ...processShape,
    ...signInShape,
    DATABASE_POOL_MAX: wholeNumber(2, 200).default(10),
    HOST: z.string().default("127.0.0.1"),
    PORT: wholeNumber(0, 65_535).default(3_000),
    /** Metrics and health for the house; never reachable from outside. */
    INTERNAL_PORT: wholeNumber(0, 65_535).default(3_001),
    /** Where clients reach this server. With https, the session's cookie is Secure. */
    API_URL: webUrl.optional(),
    /** Further origins whose pages may call with cookies; the portal's and our own always may. */
    CORS_ORIGINS: origins.default([]),
    /** How many proxies stand before us and append to X-Forwarded-For. */
    TRUST_PROXY: wholeNumber(0, 5).default(0),
    /** How long the server goes on serving after SIGTERM, with readiness off, so that traffic finds another one. */
    STOP_DELAY_SECONDS: wholeNumber(0, 60).default(5),
  })
  .superRefine(requireWholeGateway)
  .superRefine(requireWholeSignIn);
export type Env = z.infer<typeof envSchema>;

/** Throws a `ConfigurationError` with all problems at once. */
export function readEnv(source: EnvironmentSource = process.env): Env {
  return parseEnvironment(envSchema, source);
}
