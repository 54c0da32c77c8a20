import { parseEnvironment } from "@sewa/core";
import { z } from "zod";

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback);

/** What the laptop house reads. Everything has a default; a part that is named here is used instead of the built-in one. */
export const envSchema = z.object({
  /** A PostgreSQL of your own instead of the embedded one. */
  DATABASE_URL: z.url().optional(),
  /** A cluster of your own instead of the in-process one. */
  KUBECONFIG: z.string().min(1).optional(),
  /** Set by Kubernetes: the house runs in a pod, and its cluster is used. */
  KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
  /** A mail server of your own instead of the page with captured mails. */
  SMTP_URL: z.url().optional(),
  /** `host:port` of the ingress controller of a cluster of your own. */
  INGRESS_ADDRESS: z.string().min(1).optional(),
  /** Domain of the apps' addresses on a cluster of your own. */
  APPS_DOMAIN: z.string().min(1).optional(),
  /** Port of the API; its metrics are one above. */
  PORT: port(3000),
  /** Port of the page with the captured mails. */
  DEV_MAIL_PORT: port(8025),
  /** Port at which the in-process cluster answers for the apps. */
  DEV_APPS_PORT: port(8080),
  /** How slow the in-process cluster is: 1 like a small real one, 0 as fast as it can. */
  DEV_PACE: z.coerce.number().min(0).max(10).default(1),
});

export type DevEnv = z.infer<typeof envSchema>;

/** Throws a `ConfigurationError` with all problems at once. */
export function readEnv(): DevEnv {
  return parseEnvironment(envSchema, process.env);
}

/** What a child process inherits, with the variables of the house on top. */
export function childEnv(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...variables };
}
