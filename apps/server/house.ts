import {
  type CoreContext,
  createContext,
  type PaymentProvider,
  requireKeys,
  sharedClock,
  type SignInProvider,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase, type Database } from "@sewa/db";
import { type FeedHub, startFeedHub } from "./feeds.ts";
import { createSlots, type ServerLimits, usualLimits } from "./limits.ts";
import { createMetrics, type ServerMetrics } from "./metrics.ts";
import type { Logger } from "./log.ts";
import type { ServerOptions } from "./options.ts";
import { createProviderClients } from "./sign-in/create-clients.ts";
import type { ProviderClient } from "./sign-in/provider-client.ts";
import type { ProviderSettings } from "./sign-in/settings.ts";
import { type Admission, createAdmission } from "./rate-limit.ts";

/** What all requests of one process share. */
export interface House extends AsyncDisposable {
  /** Acts as nobody, for no organization. */
  readonly core: CoreContext;
  readonly database: Database;
  readonly hub: FeedHub;
  readonly admit: Admission;
  /** Whose webhooks are taken. */
  readonly providers: readonly PaymentProvider[];
  /** By which people sign in, by name. */
  readonly signIn: ReadonlyMap<string, ProviderClient>;
  /** One of the logs that an organization may follow at once. */
  readonly takeLog: ReturnType<typeof createSlots>;
  readonly metrics: ServerMetrics;
  readonly limits: ServerLimits;
  readonly log: Logger;
  readonly origins: ReadonlySet<string>;
  /** Where clients reach the server; null: where it listens. */
  readonly apiUrl: string | null;
  readonly isSecure: boolean;
  readonly trustedProxies: number;
  /** `leaving`: told to stop, still serving whoever comes late. `draining`: nothing new. Only forward. */
  readonly stage: "serving" | "leaving" | "draining";
  enter(stage: "leaving" | "draining"): void;
}

/** What core and its clients may know of a provider: nothing of how we are known there. */
function toSignInProvider({ name, label, issuer, canConfirm }: ProviderSettings): SignInProvider {
  return { name, label, issuer, canConfirm };
}

const clockSyncMs = 60_000;

/** Rejects when the database does not answer, and with a `ConfigurationError` when the keyring lacks what it needs. */
export async function openHouse(options: ServerOptions): Promise<House> {
  await using opening = new AsyncDisposableStack();
  const { log } = options;
  const limits = { ...usualLimits, ...options.limits };
  const metrics = createMetrics();
  const database = opening.use(
    connectDatabase({
      url: options.databaseUrl,
      role: "sewa_app",
      max: options.databasePoolMax,
      applicationName: "sewa-server",
      statementTimeoutMs: limits.statementMs,
      lockTimeoutMs: limits.lockMs,
      idleInTransactionTimeoutMs: limits.idleInTransactionMs,
      answerTimeoutMs: limits.databaseAnswerMs,
      maxWaiting: limits.waitingForDatabase,
      waitTimeoutMs: limits.databaseWaitMs,
    }),
  );
  const clock = sharedClock(() => database.nowMs());
  await clock.sync();
  const timer = setInterval(() => void clock.sync().catch(() => undefined), clockSyncMs);
  opening.defer(() => clearInterval(timer));
  const core = createContext(
    {
      db: database,
      clock,
      ids: uuidV7Ids(clock),
      keyring: options.keyring,
      config: options.config,
      paymentProviders: options.providers.map(({ name }) => name),
      signInProviders: options.signIn.map(toSignInProvider),
      observer: {
        event({ type, fields }) {
          metrics.events.inc({ type });
          log.info({ event: type, ...fields }, "event");
        },
      },
    },
    { actor: { type: "anonymous" } },
  );
  await requireKeys(core);
  metrics.house(core);
  const hub = opening.use(
    await startFeedHub(database, {
      slowTimerMs: limits.slowTimerMs,
      onReconnect: () => {
        metrics.listenReconnects.inc();
        log.warn("listening for changes was interrupted and goes on");
      },
    }),
  );
  let stage: House["stage"] = "serving";
  const resources = opening.move();
  return {
    core,
    database,
    hub,
    admit: createAdmission(limits),
    providers: options.providers,
    signIn: createProviderClients(options.signIn),
    takeLog: createSlots(limits.logsPerOrganization),
    metrics,
    limits,
    log,
    origins: new Set(options.origins),
    apiUrl: options.apiUrl,
    isSecure: options.apiUrl?.startsWith("https:") ?? false,
    trustedProxies: options.trustedProxies,
    get stage() {
      return stage;
    },
    enter(next) {
      stage = next;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
