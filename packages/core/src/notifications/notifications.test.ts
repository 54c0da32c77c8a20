import { members, notifications, organizationHeads, organizations, users } from "@sewa/db/schema";
import { eq, sql } from "drizzle-orm";
import { expect, test } from "vitest";
import { jobs, listJobs } from "../jobs/index.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import {
  type Mail,
  notifyOwner,
  queueNotification,
  type SendDependencies,
  sendNotification,
  sweepNotifications,
} from "./index.ts";

/** A user with an organization, as rows: this domain knows no verbs of accounts. */
async function givenOwner(core: TestCore, locale: "id" | "en" = "en") {
  const userId = core.ctx.ids.next();
  const organizationId = core.ctx.ids.next();
  const db = core.database.drizzle;
  await db.insert(users).values({ id: userId, email: "ana@example.com", name: "Ana", locale });
  await db.insert(organizations).values({ id: organizationId, name: "Ana", timeZone: "Asia/Jakarta" });
  await db.insert(organizationHeads).values({ organizationId });
  await db.insert(members).values({ organizationId, userId, role: "owner" });
  return { userId, ctx: core.ctx.forOrganization(organizationId) };
}

/** Queues a mail and answers its row's id. */
async function givenMail(core: TestCore, locale: "id" | "en" = "en"): Promise<string> {
  const { ctx } = await givenOwner(core, locale);
  await ctx.transaction((tx) =>
    notifyOwner(tx, { kind: "app_deleted", dedupeKey: "one", data: { appName: "<i>Blog</i>" } }),
  );
  const [row] = await core.database.drizzle.select({ id: notifications.id }).from(notifications);
  return row!.id;
}

function mailbox(refuse?: () => Error) {
  const mails: Mail[] = [];
  const links: string[] = [];
  const dependencies: SendDependencies = {
    mailer: {
      async send(mail) {
        if (refuse !== undefined) throw refuse();
        mails.push(mail);
      },
    },
    async linkFor(link) {
      links.push(`${link.kind}:${link.kind === "invitation" ? link.invitationId : link.userId}`);
      return "http://portal.test/minted?token=sewa_v_secret";
    },
  };
  return { mails, links, dependencies };
}

async function rowOf(core: TestCore, id: string) {
  const [row] = await core.database.drizzle.select().from(notifications).where(eq(notifications.id, id));
  return row!;
}

test("one fact makes one mail and one job, whoever tells it again", async () => {
  await using core = await testCore();
  const { ctx, userId } = await givenOwner(core);
  const tell = (dedupeKey: string) =>
    ctx.transaction((tx) =>
      queueNotification(tx, { userId, kind: "app_deleted", dedupeKey, data: { appName: "Blog" } }),
    );
  expect(await Promise.all([tell("one"), tell("one")])).toContain(false);
  expect([await tell("one"), await tell("two")]).toEqual([false, true]);
  const rows = await core.database.drizzle.select().from(notifications);
  expect(rows).toHaveLength(2);
  const queued = (await listJobs(core.ctx, {})).items;
  expect(queued.map(({ key }) => String(key)).toSorted()).toEqual(rows.map(({ id }) => `mail:send:${id}`).toSorted());
  for (const row of rows) expect(jobs["mail:send"].payload.safeParse({ notificationId: row.id }).success).toBe(true);
});

test("a transaction that rolls back tells nobody", async () => {
  await using core = await testCore();
  const { ctx } = await givenOwner(core);
  const work = ctx.transaction(async (tx) => {
    await notifyOwner(tx, { kind: "app_deleted", dedupeKey: "one", data: { appName: "Blog" } });
    throw new Error("rolled back");
  });
  await expect(work).rejects.toThrow("rolled back");
  expect(await core.database.drizzle.select().from(notifications)).toEqual([]);
  expect((await listJobs(core.ctx, {})).items).toEqual([]);
});

test("a secret does not get into the queue of mails", async () => {
  await using core = await testCore();
  const { ctx } = await givenOwner(core);
  const data = { appName: "Blog", password: "hunter2" };
  await expect(
    ctx.transaction((tx) => notifyOwner(tx, { kind: "app_deleted", dedupeKey: "one", data })),
  ).rejects.toThrow('"password"');
  expect(await core.database.drizzle.select().from(notifications)).toEqual([]);
});

test.each([
  ["en", "<i>Blog</i> was deleted", "See the catalog"],
  ["id", "<i>Blog</i> telah dihapus", "Lihat katalog"],
] as const)("a mail is sent once, in the user's language (%s)", async (locale, subject, action) => {
  await using core = await testCore();
  const id = await givenMail(core, locale);
  const { mails, links, dependencies } = mailbox();
  expect(await sendNotification(core.ctx, id, dependencies)).toBe("sent");
  expect(await sendNotification(core.ctx, id, dependencies)).toBe("skipped");
  expect(mails).toMatchObject([{ to: "ana@example.com", subject, messageId: `<${id}@portal.test>` }]);
  expect(mails[0]!.text).toContain(`${action}: http://portal.test/catalog`);
  expect(mails[0]!.html).toContain("&lt;i&gt;Blog&lt;/i&gt;");
  expect(links).toEqual([]);
  expect(await rowOf(core, id)).toMatchObject({
    status: "sent",
    attempts: 1,
    lastError: null,
    sentAt: core.clock.now(),
  });
});

test("the link of an account mail is minted for its user at the moment of sending and is stored nowhere", async () => {
  await using core = await testCore();
  const { ctx, userId } = await givenOwner(core);
  await ctx.transaction((tx) => queueNotification(tx, { userId, kind: "verify_email", dedupeKey: userId, data: {} }));
  const [row] = await core.database.drizzle.select().from(notifications);
  const { mails, links, dependencies } = mailbox();
  expect(links).toEqual([]);
  expect(await sendNotification(core.ctx, row!.id, dependencies)).toBe("sent");
  expect(links).toEqual([`verify_email:${userId}`]);
  expect(mails[0]!.text).toContain("http://portal.test/minted?token=sewa_v_secret");
  expect(JSON.stringify(await rowOf(core, row!.id))).not.toContain("sewa_v_");
});

test("a failure is noted without addresses or tokens and thrown, so that the job tries again; the tenth gives up", async () => {
  await using core = await testCore();
  const id = await givenMail(core);
  const { dependencies } = mailbox(() => new Error("550 <ana@example.com> unknown; body had token=sewa_v_abc-DEF"));
  for (let attempt = 1; attempt <= 9; attempt += 1) {
    const error: unknown = await sendNotification(core.ctx, id, dependencies).catch((reason: unknown) => reason);
    expect(String(error)).toBe("Error: The mail could not be sent: 550 [address] unknown; body had token=[token]");
    expect((error as Error).cause).toBeUndefined();
    expect(await rowOf(core, id)).toMatchObject({ status: "queued", attempts: attempt });
  }
  expect(await sendNotification(core.ctx, id, dependencies)).toBe("failed");
  expect(await rowOf(core, id)).toMatchObject({
    status: "failed",
    attempts: 10,
    sentAt: null,
    lastError: "550 [address] unknown; body had token=[token]",
  });
  expect(core.observed).toEqual(["notification.failed"]);
  const { mails, dependencies: healthy } = mailbox();
  expect(await sendNotification(core.ctx, id, healthy)).toBe("skipped");
  expect(mails).toEqual([]);
});

test("a mail that failed once is sent under the same Message-ID", async () => {
  await using core = await testCore();
  const id = await givenMail(core);
  await expect(sendNotification(core.ctx, id, mailbox(() => new Error("451 later")).dependencies)).rejects.toThrow(
    "451 later",
  );
  const { mails, dependencies } = mailbox();
  expect(await sendNotification(core.ctx, id, dependencies)).toBe("sent");
  expect(mails).toMatchObject([{ messageId: `<${id}@portal.test>` }]);
  expect(await rowOf(core, id)).toMatchObject({ status: "sent", attempts: 2, lastError: null });
});

test("the sweep finds mails that lost their job, leaves those whose job waits or that are new, and counts", async () => {
  await using core = await testCore();
  const { ctx, userId } = await givenOwner(core);
  for (const dedupeKey of ["lost", "waiting", "new", "sent"]) {
    await ctx.transaction((tx) =>
      queueNotification(tx, { userId, kind: "app_deleted", dedupeKey, data: { appName: dedupeKey } }),
    );
  }
  const db = core.database.drizzle;
  const ids = Object.fromEntries((await db.select().from(notifications)).map(({ id, dedupeKey }) => [dedupeKey, id]));
  await db
    .update(notifications)
    .set({ createdAt: sql`now() - interval '3 minutes'` })
    .where(sql`${notifications.dedupeKey} <> 'new'`);
  await db.update(notifications).set({ status: "sent" }).where(eq(notifications.id, ids["sent"]!));
  for (const name of ["lost", "new", "sent"]) {
    await db.execute(sql`select graphile_worker.remove_job(${`mail:send:${ids[name]}`})`);
  }
  const keys = async () =>
    (await listJobs(core.ctx, { status: "waiting" })).items.map(({ key }) => String(key)).toSorted();
  expect(await keys()).toEqual([`mail:send:${ids["waiting"]}`]);
  expect(await sweepNotifications(core.ctx)).toBe(1);
  expect(await keys()).toEqual([`mail:send:${ids["lost"]}`, `mail:send:${ids["waiting"]}`].toSorted());
  expect(await sweepNotifications(core.ctx)).toBe(0);
  // A job that has used up its tries will not run again by itself.
  await db.execute(
    sql`update graphile_worker._private_jobs set attempts = max_attempts where key = ${`mail:send:${ids["waiting"]}`}`,
  );
  expect(await keys()).toEqual([`mail:send:${ids["lost"]}`]);
  expect(await sweepNotifications(core.ctx)).toBe(1);
  expect(await keys()).toEqual([`mail:send:${ids["lost"]}`, `mail:send:${ids["waiting"]}`].toSorted());
});
