import { users } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import { Secret, TOTP } from "otpauth";
import { expect } from "vitest";
import { authenticateToken, createToken } from "../tokens/index.ts";
import {
  beginTotp,
  enableTotp,
  linkIdentity,
  logIn,
  mintMailLink,
  register,
  updateOrganization,
  verifyEmail,
} from "../accounts/index.ts";
import { userActor } from "../actor.ts";
import { type CoreContext, createContext } from "../context.ts";
import { acceptInvitation, listOrganizations } from "../organizations/index.ts";
import { provisionOnce } from "../testing/fake-world.ts";
import { givenTeam, invite } from "../testing/given-team.ts";
import { givenCatalog, givenMachines, givenOrder } from "../testing/given.ts";
import { serverDatabases, type TestCore } from "../testing/test-core.ts";

/** What is sought after a deletion: none of it stands anywhere by chance. */
export const personal = {
  email: "quetzalcoatl@canary.example",
  name: "Quetzal Canaryname",
  address: "203.0.113.77",
  userAgent: "CanaryBrowser/1.0",
  subject: "canary-at-acme-7777",
  taxId: "NPWP-77.777.777",
} as const;
const password = "correct horse battery";

export interface Person {
  readonly userId: string;
  /** Acting as them, in the organization that is theirs alone. */
  readonly ctx: CoreContext;
  readonly organizationId: string;
  readonly teamId: string;
  readonly sessionToken: string;
  readonly apiToken: string;
  /** Told to nobody but them. */
  readonly secrets: readonly string[];
  readonly subscriptionId: string;
  readonly instanceId: string;
  readonly teamOwner: CoreContext;
}

/** Somebody with an organization of their own and an app in it, who works in a team as well, asked others and was asked. */
export async function givenPersonWithLife(core: TestCore): Promise<Person> {
  await givenCatalog(core.ctx);
  await givenMachines(core.ctx);
  const { email, name, address, userAgent } = personal;
  const db = serverDatabases.get(core.database) ?? core.database;
  const client = { address, userAgent };
  const anybody = createContext({ ...core.ctx, db }, { actor: { type: "anonymous" }, client });
  await register(anybody, { email, name, password, ip: address });
  const [user] = await core.database.drizzle.select({ id: users.id }).from(users).where(eq(users.email, email));
  const userId = user?.id ?? "";
  const link = await mintMailLink(core.ctx, { kind: "verify_email", userId });
  await verifyEmail(anybody, { token: tokenOf(link) });
  const first = await logIn(anybody, { email, password, ip: address, userAgent });
  const home = createContext({ ...core.ctx, db }, { actor: userActor(userId, "owner"), client });
  const [own] = (await listOrganizations(home, {})).items;
  const organizationId = own?.organization.id ?? "";
  const ctx = home.forOrganization(organizationId);
  const holder = { userId, sessionId: first.session.id };
  const { secret } = await beginTotp(ctx, holder);
  const enabled = await enableTotp(ctx, {
    ...holder,
    code: new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: core.clock.now().getTime() }),
  });
  const identity = { issuer: "https://acme.test", subject: personal.subject, email, isEmailVerified: true, name };
  await linkIdentity(ctx, { ...holder, sessionId: enabled.session.id, identity: { ...identity, provedAt: null } });
  await updateOrganization(ctx, { name: `${name} and daughters`, taxId: personal.taxId });
  const { subscription } = await givenOrder(ctx, { name: "Diary" });
  await provisionOnce(core.ctx, subscription.instanceId);
  const made = await createToken(ctx, {
    name: "Robot",
    scopes: ["read"],
    expiresInDays: 30,
    allowedNetworks: [],
    idempotencyKey: "robot-token",
  });
  await authenticateToken(anybody, { token: made.token, address, organizationId: null });
  await expect.poll(() => tablesWith(core, address)).toContain("public.api_tokens");
  await invite(core, ctx, "colleague@example.com");
  const team = await givenTeam(core);
  const invited = await invite(core, team.owner, email, "admin");
  await acceptInvitation(ctx, { token: invited.token });
  const inTeam = createContext(
    { ...core.ctx, db },
    { actor: userActor(userId, "admin"), organizationId: team.organizationId, client },
  );
  await invite(core, inTeam, "friend@example.com", "viewer");
  // Asked by somebody else as well, and not answered.
  const other = await givenTeam(core);
  await invite(core, other.owner, email);
  return {
    userId,
    ctx,
    organizationId,
    teamId: team.organizationId,
    teamOwner: team.owner,
    sessionToken: enabled.token,
    apiToken: made.token,
    secrets: [
      enabled.token,
      first.token,
      made.token,
      secret,
      password,
      ...enabled.recoveryCodes,
      invited.token,
      tokenOf(link),
    ],
    subscriptionId: subscription.subscription.id,
    instanceId: subscription.instanceId,
  };
}

/** The tables in which a text stands, in any letters. */
export async function tablesWith(core: TestCore, text: string): Promise<readonly string[]> {
  const tables = await core.database.drizzle.execute<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'graphile_worker') order by 1`,
  );
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await core.database.drizzle.execute<{ line: string }>(`select t::text as line from ${name} t`);
    if (rows.some(({ line }) => line.toLowerCase().includes(text.toLowerCase()))) found.push(name);
  }
  return found;
}

export function tokenOf(link: string | null): string {
  return new URL(link ?? "").searchParams.get("token") ?? "";
}
