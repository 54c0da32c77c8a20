import { z } from "zod";
import type { CoreConfig } from "./context.ts";
import { ConfigurationError, wholeNumber } from "./environment.ts";
import { type Keyring, parseKeyring } from "./keyring.ts";
import { fromMajor, minorDigitsOf } from "./money.ts";
import { isTimeZone } from "./periods.ts";

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const domain = z
  .string()
  .regex(/^(?=.{1,200}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/, "Not a domain name.");

/** Separated by commas. */
const domains = z
  .string()
  .transform((text) => text.split(",").map((name) => name.trim().toLowerCase()))
  .pipe(z.array(domain));

const currency = z.string().refine(
  (code) => {
    try {
      minorDigitsOf(code);
      return true;
    } catch {
      return false;
    }
  },
  { error: "Not a currency that can be sold in." },
);

const line = z.string().regex(/^[^\p{Cc}]{1,300}$/u, "Up to 300 characters on one line.");

/** In major units, as in the catalog. */
const amount = z.string().regex(/^\d{1,12}(\.\d{1,2})?$/, "Not an amount such as 150000 or 12.50.");

const keyring = z.string().transform((text, context): Keyring => {
  try {
    return parseKeyring(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "Not a keyring." });
    return z.NEVER;
  }
});

const gatewayNames = ["SANDBOX_GATEWAY_URL", "SANDBOX_GATEWAY_KEY", "SANDBOX_WEBHOOK_SECRETS"] as const;

/** Of the processes that take payments. All three or none: without them nothing can be paid by card. */
export const gatewayShape = {
  SANDBOX_GATEWAY_URL: z
    .url({ protocol: /^https?$/, error: "Not an address like https://gateway.example.com." })
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  SANDBOX_GATEWAY_KEY: z.string().min(16, "At least 16 characters.").optional(),
  /** A webhook is taken if one of them signed it: two while they are changed. */
  SANDBOX_WEBHOOK_SECRETS: z
    .string()
    .transform((text) => text.split(",").map((secret) => secret.trim()))
    .refine((secrets) => secrets.every(({ length }) => length >= 16), "Each of at least 16 characters.")
    .optional(),
} as const;

const gatewayEnvironment = z.object(gatewayShape);
export type GatewayEnvironment = z.infer<typeof gatewayEnvironment>;

/** For `superRefine`: names those of the three that are missing beside the others. */
export function requireWholeGateway(env: GatewayEnvironment, context: z.RefinementCtx): void {
  const missing = gatewayNames.filter((name) => env[name] === undefined);
  if (missing.length === gatewayNames.length) return;
  for (const name of missing) context.addIssue({ code: "custom", path: [name], message: "Has to be set too." });
}

/**
 * The variables that the business reads, by name: every process that runs core takes them into its own environment
 * schema, so that server, worker and command line cannot disagree on a default.
 */
export const coreConfigShape = {
  /** Domain under which apps get their addresses. */
  APPS_DOMAIN: domain.default("localhost"),
  APPS_SCHEME: z.enum(["http", "https"]).default("https"),
  APPS_PORT: wholeNumber(1, 65_535).optional(),
  /** Base of the links in mails. */
  PORTAL_URL: z.url().transform((url) => url.replace(/\/+$/, "")),
  SECRETS_KEYRING: keyring,
  CURRENCY: currency.default("IDR"),
  TIME_ZONE: z.string().refine(isTimeZone, "Not an IANA time zone.").default("Asia/Jakarta"),
  ORDER_TTL_HOURS: wholeNumber(1, 720).default(24),
  RENEWAL_LEAD_DAYS: wholeNumber(0, 27).default(7),
  REMINDER_HOUR: wholeNumber(0, 23).default(9),
  MEMORY_RESERVE_PERCENT: wholeNumber(0, 90).default(35),
  CPU_RESERVE_PERCENT: wholeNumber(0, 90).default(15),
  MAX_INSTANCES_PER_ORGANIZATION: wholeNumber(1, 1_000).default(5),
  REFUSE_DISPOSABLE_ADDRESSES: flag.default(true),
  DISPOSABLE_DOMAINS: domains.optional(),
  DISPOSABLE_DOMAINS_EXCEPT: domains.optional(),
  OPERATOR_PASSWORD_MAX_AGE_HOURS: wholeNumber(24, 87_600).optional(),
  ORPHAN_VOLUME_GRACE_DAYS: wholeNumber(0, 3_650).default(30),
  AUDIT_RETENTION_MONTHS: wholeNumber(1, 1_200).optional(),
  LEDGER_RETENTION_MONTHS: wholeNumber(12, 1_200).optional(),
  INVOICE_SERIES: z
    .string()
    .regex(/^[A-Z0-9]{1,10}$/, "Up to ten capital letters or digits.")
    .default("INV"),
  SELLER_NAME: line.optional(),
  SELLER_ADDRESS: line.optional(),
  SELLER_TAX_ID: line.optional(),
  ROOM_PRICE_PER_CPU: amount.optional(),
  ROOM_PRICE_PER_GIB: amount.optional(),
  TEST_CLOCKS: flag.default(false),
} as const;

const coreEnvironment = z.object(coreConfigShape);
export type CoreEnvironment = z.infer<typeof coreEnvironment>;

export function toCoreConfig(env: CoreEnvironment): CoreConfig {
  return {
    appsDomain: env.APPS_DOMAIN,
    appsScheme: env.APPS_SCHEME,
    appsPort: env.APPS_PORT ?? null,
    portalUrl: env.PORTAL_URL,
    currency: env.CURRENCY,
    timeZone: env.TIME_ZONE,
    orderTtlHours: env.ORDER_TTL_HOURS,
    renewalLeadDays: env.RENEWAL_LEAD_DAYS,
    reminderHour: env.REMINDER_HOUR,
    memoryReservePercent: env.MEMORY_RESERVE_PERCENT,
    cpuReservePercent: env.CPU_RESERVE_PERCENT,
    maxInstancesPerOrganization: env.MAX_INSTANCES_PER_ORGANIZATION,
    disposableAddresses: env.REFUSE_DISPOSABLE_ADDRESSES
      ? { also: env.DISPOSABLE_DOMAINS ?? [], except: env.DISPOSABLE_DOMAINS_EXCEPT ?? [] }
      : null,
    operatorPasswordMaxAgeHours: env.OPERATOR_PASSWORD_MAX_AGE_HOURS ?? null,
    testClocks: env.TEST_CLOCKS,
    orphanVolumeGraceDays: env.ORPHAN_VOLUME_GRACE_DAYS,
    auditRetentionMonths: env.AUDIT_RETENTION_MONTHS ?? null,
    ledgerRetentionMonths: env.LEDGER_RETENTION_MONTHS ?? null,
    invoiceSeries: env.INVOICE_SERIES,
    seller:
      env.SELLER_NAME === undefined
        ? null
        : { name: env.SELLER_NAME, address: env.SELLER_ADDRESS ?? null, taxId: env.SELLER_TAX_ID ?? null },
    roomPrice: roomPriceOf(env),
  };
}

/** Half of it says nothing about what an app costs. */
function roomPriceOf({
  ROOM_PRICE_PER_CPU: perCpu,
  ROOM_PRICE_PER_GIB: perGib,
  CURRENCY: currency,
}: CoreEnvironment): CoreConfig["roomPrice"] {
  if (perCpu === undefined || perGib === undefined) return null;
  return {
    perCpuMinor: amountOf("ROOM_PRICE_PER_CPU", perCpu, currency),
    perGibMinor: amountOf("ROOM_PRICE_PER_GIB", perGib, currency),
  };
}

function amountOf(name: string, text: string, currency: string): bigint {
  try {
    return fromMajor(text, currency).amountMinor;
  } catch (error) {
    throw new ConfigurationError([`${name}: ${error instanceof Error ? error.message : "Not an amount."}`]);
  }
}
