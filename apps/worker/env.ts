import { existsSync } from "node:fs";
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

/** `key=value[,key=value…]`, as kubectl takes labels. */
const labels = z.string().transform((text, context): Readonly<Record<string, string>> => {
  const pairs = text.split(",").map((pair) => pair.trim().split("="));
  if (pairs.every(([key, value, ...rest]) => key && value !== undefined && rest.length === 0)) {
    return Object.fromEntries(pairs.map(([key = "", value = ""]) => [key, value]));
  }
  context.addIssue({ code: "custom", message: "Not of the form key=value,key=value." });
  return z.NEVER;
});

/** Every variable of the worker. Read once, at start. */
export const envSchema = z
  .object({
    ...coreConfigShape,
    ...gatewayShape,
    ...processShape,
    DATABASE_POOL_MAX: wholeNumber(2, 100).default(6),
    SMTP_URL: z.url({ protocol: /^smtps?$/, error: "Not an address like smtp://user:password@host:587." }),
    MAIL_FROM: z.string().regex(/^[^\r\n]*\S+@\S+[^\r\n]*$/, "Not a sender like Sewa <no-reply@example.com>."),
    KUBECONFIG: z.string().refine(existsSync, "There is no such file.").optional(),
    /** Set by Kubernetes itself in every pod. */
    KUBERNETES_SERVICE_HOST: z.string().optional(),
    INGRESS_CLASS: z.string().default("traefik"),
    INGRESS_NAMESPACE_LABELS: labels.default({ "kubernetes.io/metadata.name": "kube-system" }),
    INGRESS_ADDRESS: z
      .string()
      .regex(/^[^/\s]+:\d{1,5}$/, "Not of the form host:port.")
      .optional(),
    STORAGE_CLASS: z.string().optional(),
    JOB_CONCURRENCY: wholeNumber(1, 64).default(4),
    RESYNC_SECONDS: wholeNumber(10, 86_400).default(240),
    WORKER_INTERNAL_HOST: z.string().default("127.0.0.1"),
    WORKER_INTERNAL_PORT: wholeNumber(0, 65_535).default(3_002),
  })
  .superRefine(requireWholeGateway);
export type Env = z.infer<typeof envSchema>;

/** Throws a `ConfigurationError` with all problems at once. */
export function readEnv(source: EnvironmentSource = process.env): Env {
  return parseEnvironment(envSchema, source);
}
