import type { z } from "zod";
import { describe, expect, test } from "vitest";
import { ConfigurationError, parseEnvironment } from "@sewa/core";
import { serverEnvSchema as serverSchema } from "@sewa/server";
import { workerEnvSchema as workerSchema } from "@sewa/worker";

/** A value that cannot be meant; null where every text may be. */
type Wrong<T extends z.ZodObject> = Readonly<Record<keyof T["shape"] & string, string | null>>;

const core = {
  APPS_DOMAIN: "apps_of/ours",
  APPS_SCHEME: "gopher",
  APPS_PORT: "70000",
  PORTAL_URL: "somewhere",
  SECRETS_KEYRING: "main:c2hvcnQ=",
  CURRENCY: "XXX",
  TIME_ZONE: "Mars/Olympus",
  ORDER_TTL_HOURS: "0",
  RENEWAL_LEAD_DAYS: "28",
  REMINDER_HOUR: "24",
  MEMORY_RESERVE_PERCENT: "91",
  CPU_RESERVE_PERCENT: "-1",
  MAX_INSTANCES_PER_ORGANIZATION: "1.5",
  REFUSE_DISPOSABLE_ADDRESSES: "sometimes",
  DISPOSABLE_DOMAINS: "throwaway.example,@nowhere",
  DISPOSABLE_DOMAINS_EXCEPT: "good.example;better.example",
  OPERATOR_PASSWORD_MAX_AGE_HOURS: "23",
  ORPHAN_VOLUME_GRACE_DAYS: "-1",
  AUDIT_RETENTION_MONTHS: "for ever",
  LEDGER_RETENTION_MONTHS: "11",
  INVOICE_SERIES: "inv-2026",
  SELLER_NAME: "Sewa\nBank: 123",
  SELLER_ADDRESS: "Jl. Sudirman 1\nJakarta",
  SELLER_TAX_ID: "\t01.234",
  ROOM_PRICE_PER_CPU: "-5",
  ROOM_PRICE_PER_GIB: "a lot",
  TEST_CLOCKS: "perhaps",
} as const;
const gateway = {
  SANDBOX_GATEWAY_URL: "ftp://gateway.example",
  SANDBOX_GATEWAY_KEY: "short-key",
  SANDBOX_WEBHOOK_SECRETS: "short-secret",
} as const;
const databaseUrl = "mysql://root:hunter2@db/sewa";

const server: Wrong<typeof serverSchema> = {
  ...core,
  ...gateway,
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_MAX: "1",
  HOST: null,
  PORT: "99999",
  INTERNAL_PORT: "http",
  API_URL: "ftp://api.example",
  CORS_ORIGINS: "https://a.example/path",
  TRUST_PROXY: "yes",
  GITHUB_CLIENT_ID: "x".repeat(501),
  GITHUB_CLIENT_SECRET: "x".repeat(501),
  GITHUB_URL: "http://github.example",
  GOOGLE_CLIENT_ID: "x".repeat(501),
  GOOGLE_CLIENT_SECRET: "x".repeat(501),
  OIDC_PROVIDERS: '[{"name":"acme","clientSecret":"hunter2"}]',
  STOP_DELAY_SECONDS: "soon",
  LOG_LEVEL: "loud",
};
const worker: Wrong<typeof workerSchema> = {
  ...core,
  ...gateway,
  DATABASE_URL: databaseUrl,
  DATABASE_POOL_MAX: "1",
  SMTP_URL: "http://mail.example",
  MAIL_FROM: "nobody",
  KUBECONFIG: "/nowhere/kubeconfig",
  KUBERNETES_SERVICE_HOST: null,
  INGRESS_CLASS: null,
  INGRESS_NAMESPACE_LABELS: "name",
  INGRESS_ADDRESS: "http://127.0.0.1:80/",
  STORAGE_CLASS: null,
  JOB_CONCURRENCY: "many",
  RESYNC_SECONDS: "3",
  WORKER_INTERNAL_HOST: null,
  WORKER_INTERNAL_PORT: "-1",
  LOG_LEVEL: "loud",
};
/** Asked for where their halves are set, as in `right`. */
const signIn = {
  API_URL: "https://api.example.com",
  GITHUB_CLIENT_ID: "sewa",
  GITHUB_CLIENT_SECRET: "secret",
  GOOGLE_CLIENT_ID: "sewa",
  GOOGLE_CLIENT_SECRET: "secret",
} as const;
const right = {
  ...signIn,
  SANDBOX_GATEWAY_URL: "http://127.0.0.1:4010",
  SANDBOX_GATEWAY_KEY: "key-of-sixteen-letters",
  SANDBOX_WEBHOOK_SECRETS: "secret-of-sixteen-letters,another-of-sixteen-letters",
  DATABASE_URL: "postgres://sewa@127.0.0.1/sewa",
  PORTAL_URL: "https://portal.example.com",
  SECRETS_KEYRING: `main:${Buffer.alloc(32, 1).toString("base64")}`,
  SMTP_URL: "smtp://127.0.0.1:25",
  MAIL_FROM: "Sewa <no-reply@example.com>",
};
/** The gateway's are asked for where one of them is set, as in `right`. */
const always = ["DATABASE_URL", "PORTAL_URL", "SECRETS_KEYRING", ...Object.keys(gateway)];

function problemsOf(schema: z.ZodType, source: Readonly<Record<string, string | undefined>>): readonly string[] {
  try {
    parseEnvironment(schema, source);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe.each([
  { process: "server", schema: serverSchema, wrong: server, required: [...always, ...Object.keys(signIn)] },
  { process: "worker", schema: workerSchema, wrong: worker, required: [...always, "SMTP_URL", "MAIL_FROM"] },
])("the $process", ({ schema, wrong, required }) => {
  test("O6 each variable that is set to nonsense is refused by its name, and its value is not repeated", () => {
    // A variable that is new has to say here what nonsense is.
    expect(Object.keys(wrong).toSorted()).toEqual(Object.keys(schema.shape).toSorted());
    for (const [name, value] of Object.entries(wrong)) {
      if (value === null) continue;
      const problems = problemsOf(schema, { ...right, [name]: value });
      expect({ name, problems }).toEqual({ name, problems: [expect.stringMatching(new RegExp(`^${name}: `))] });
      expect(problems.join()).not.toContain(value);
    }
  });

  test("O6 each variable that has to be set is asked for by its name, unset or empty", () => {
    for (const name of Object.keys(schema.shape)) {
      for (const value of [undefined, ""]) {
        const expected = required.includes(name) ? [`${name}: has to be set.`] : [];
        expect({ name, problems: problemsOf(schema, { ...right, [name]: value }) }).toEqual({
          name,
          problems: expected,
        });
      }
    }
  });

  test("O6 without any variable of the gateway there is none, and that is no mistake", () => {
    const without = Object.fromEntries(Object.keys(gateway).map((name) => [name, undefined]));
    expect(problemsOf(schema, { ...right, ...without })).toEqual([]);
  });
});
