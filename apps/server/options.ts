import { connectProviders, type CoreConfig, type Keyring, type PaymentProvider, toCoreConfig } from "@sewa/core";
import type { Env } from "./env.ts";
import type { ServerLimits } from "./limits.ts";
import type { Logger } from "./log.ts";
import type { ProviderSettings } from "./sign-in/settings.ts";
import { signInProviders } from "./sign-in/sign-in-env.ts";

export interface ServerOptions {
  readonly databaseUrl: string;
  readonly databasePoolMax: number;
  readonly host: string;
  /** 0 takes a free one; the same for the internal one. */
  readonly port: number;
  readonly internalPort: number;
  /** Where clients reach the server; null: where it listens. */
  readonly apiUrl: string | null;
  /** Origins whose pages may call with cookies. */
  readonly origins: readonly string[];
  readonly trustedProxies: number;
  /** How long it goes on serving after it was told to stop; traffic that follows readiness is late. */
  readonly stopDelayMs: number;
  readonly config: CoreConfig;
  readonly keyring: Keyring;
  /** Whose webhooks are taken, and by whom can be paid. Calls to them are the worker's. */
  readonly providers: readonly PaymentProvider[];
  /** By which people sign in beside their password. */
  readonly signIn: readonly ProviderSettings[];
  readonly log: Logger;
  /** Other limits than the usual ones. */
  readonly limits?: Partial<ServerLimits>;
}

export function toServerOptions(env: Env, log: Logger): ServerOptions {
  const apiUrl = env.API_URL ?? null;
  return {
    databaseUrl: env.DATABASE_URL,
    databasePoolMax: env.DATABASE_POOL_MAX,
    host: env.HOST,
    port: env.PORT,
    internalPort: env.INTERNAL_PORT,
    apiUrl,
    origins: [...env.CORS_ORIGINS, new URL(env.PORTAL_URL).origin, ...(apiUrl === null ? [] : [apiUrl])],
    trustedProxies: env.TRUST_PROXY,
    stopDelayMs: env.STOP_DELAY_SECONDS * 1_000,
    config: toCoreConfig(env),
    keyring: env.SECRETS_KEYRING,
    providers: connectProviders(env),
    signIn: signInProviders(env),
    log,
  };
}
