import {
  ConfigurationError,
  type CoreContext,
  createContext,
  fromPublicId,
  type Keyring,
  systemClock,
  toCoreConfig,
  uuidV7Ids,
} from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { type OperatorEnv, readOperatorEnv } from "./env.ts";
import { UsageError } from "./failure.ts";

const statementMs = 60_000;
const lockMs = 10_000;

/** Works on the house itself, over the database and through the verbs of core, as the system's own actor: audited. */
export async function withCore<T>(work: (ctx: CoreContext, env: OperatorEnv) => Promise<T>): Promise<T> {
  const env = readOperatorEnv();
  await using db = connectDatabase({
    url: env.DATABASE_URL,
    role: "sewa_worker",
    max: 2,
    applicationName: "sewa-cli",
    statementTimeoutMs: statementMs,
    lockTimeoutMs: lockMs,
  });
  const ctx = createContext(
    {
      db,
      clock: systemClock,
      ids: uuidV7Ids(systemClock),
      keyring: env.SECRETS_KEYRING ?? missingKeyring,
      // Only links in mails are made of the portal's address; who makes one asks for it.
      config: toCoreConfig({ ...env, PORTAL_URL: env.PORTAL_URL ?? "", SECRETS_KEYRING: missingKeyring }),
      observer: { event: () => undefined },
    },
    { actor: { type: "system", name: "cli" } },
  );
  // Awaited here: the connections are closed as soon as this function has its answer.
  return await work(ctx, env);
}

/** Most commands seal and open nothing. One that does must not do it with a key that nobody has. */
const missingKeyring: Keyring = {
  get ids() {
    return refuse();
  },
  seal: refuse,
  open: refuse,
  sign: refuse,
  findSigner: refuse,
};

function refuse(): never {
  throw new ConfigurationError(["SECRETS_KEYRING: has to be set."]);
}

/** `org_…`, as customers and logs show it. */
export function organizationIdOf(text: string): string {
  const id = fromPublicId("organization", text);
  if (id === null) throw new UsageError(`"${text}" is no organization; write it as org_….`);
  return id;
}
