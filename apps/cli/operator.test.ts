import { toPublicId } from "@sewa/core";
import { connectDatabase } from "@sewa/db";
import { connectAsSuperuser, createTestDatabase } from "@sewa/db/testing";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { sewa, storyMs } from "./test-command.ts";
import { startHouseProcess } from "./test-process.ts";

vi.setConfig({ testTimeout: storyMs });

const keyring = `test:${Buffer.alloc(32, 7).toString("base64")}`;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let env: Readonly<Record<string, string>>;

beforeAll(async () => {
  database = await createTestDatabase();
  env = { DATABASE_URL: database.url, PORTAL_URL: "https://portal.example.com/" };
});
afterAll(() => database[Symbol.asyncDispose]());

test("a catalog is applied once: a dry run writes nothing, and the second time nothing changes", async () => {
  const apply = ["catalog", "apply", "packages/blueprint/catalog"];
  const dry = await sewa([...apply, "--dry-run", "--json"], env);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  const first = await sewa([...apply, "--json"], env);
  const changes = (text: string): unknown => (JSON.parse(text) as { changes: unknown }).changes;
  expect(changes(first.stdout)).toEqual(changes(dry.stdout));
  expect(changes(first.stdout)).toContainEqual(expect.objectContaining({ action: "add" }));
  const second = await sewa(apply, env);
  expect(second).toEqual({ code: 0, stdout: "Nothing changes: the catalog is what the files say.\n", stderr: "" });
});

test("what is hidden is listed as hidden, stays so when the catalog is applied, and is put back", async () => {
  const plan = "uptime-kuma/small";
  const why = ["--reason", "The machines are full."];
  const states = async (): Promise<unknown> => {
    const { stdout } = await sewa(["catalog", "list", "--json"], env);
    const offerings = JSON.parse(stdout) as { slug: string; plans: { slug: string; state: string }[] }[];
    return offerings.find(({ slug }) => slug === "uptime-kuma")?.plans.map(({ slug, state }) => `${slug} ${state}`);
  };
  expect(await states()).toEqual(["free published", "small published"]);
  expect(await sewa(["catalog", "hide", plan, ...why], env)).toEqual({
    code: 0,
    stdout: `${plan} cannot be ordered any more.\n`,
    stderr: "",
  });
  await sewa(["catalog", "apply", "packages/blueprint/catalog"], env);
  expect(await states()).toEqual(["free published", "small hidden"]);
  expect(await sewa(["catalog", "publish", plan, ...why], env)).toMatchObject({ code: 0, stderr: "" });
  expect(await states()).toEqual(["free published", "small published"]);
  const nobodys = await sewa(["catalog", "hide", "nobodys", ...why], env);
  expect(nobodys).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) });
});

test("an app that nobody has is neither held nor removed", async () => {
  const why = ["--reason", "It sends spam."];
  for (const verb of ["hold", "release", "restart", "remove"]) {
    const unknown = await sewa(["admin", verb, `ins_${"0".repeat(26)}`, ...why], env);
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) });
    expect(await sewa(["admin", verb, "nobodys", ...why], env)).toMatchObject({ code: 2 });
  }
});

test("the books are verified: a wrong row is named, and the command ends with 1", async () => {
  expect(await sewa(["ledger", "verify"], env)).toEqual({
    code: 0,
    stdout: "The books hold: 0 organization(s), 0 transaction(s).\n",
    stderr: "",
  });
  await using owner = connectAsSuperuser(database.url);
  const organizationId = "00000000-0000-7000-8000-000000000009";
  await owner.drizzle.execute(`
    insert into organizations (id, name, time_zone) values ('${organizationId}', 'Shop', 'UTC');
    insert into organization_heads (organization_id, ledger_sequence, ledger_chain) values ('${organizationId}', 3, 'x')`);
  const broken = await sewa(["ledger", "verify"], env);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain(`${toPublicId("organization", organizationId)} head`);
  expect(broken.stdout).toContain("The head names transaction 3, the last one is 0.");
});

test("the books are asked, what is found is shown, and who is parked is let go only when nothing is", async () => {
  const fine = await sewa(["books", "check", "--all"], env);
  expect(fine).toMatchObject({ code: 0, stdout: expect.stringMatching(/The books hold\.\n$/) as string });
  await using owner = connectAsSuperuser(database.url);
  const organizationId = "00000000-0000-7000-8000-000000000008";
  const organization = toPublicId("organization", organizationId);
  await owner.drizzle.execute(`
    insert into organizations (id, name, time_zone) values ('${organizationId}', 'Shop', 'UTC');
    insert into organization_heads (organization_id, sequence) values ('${organizationId}', 1);
    insert into ledger_accounts (id, organization_id, kind, currency, normal_side, may_go_negative, balance_minor)
    values ('${organizationId}', '${organizationId}', 'receivable', 'IDR', 'debit', false, 5)`);
  const broken = await sewa(["books", "check"], env);
  expect(broken).toMatchObject({ code: 3, stdout: expect.stringContaining(`${organization} is parked`) as string });
  const found = await sewa(["books", "findings", "--json"], env);
  expect(found.code).toBe(3);
  expect(JSON.parse(found.stdout)).toMatchObject([{ check: "M03", organization, kind: "books" }]);
  const unpark = ["books", "unpark", organization];
  expect(await sewa(unpark, env)).toMatchObject({ code: 2 });
  expect(await sewa([...unpark, "--reason", "It is right."], env)).toMatchObject({
    code: 1,
    stderr: "INVALID_TRANSITION: The books are still wrong: M03, M39.\n",
  });
  await owner.drizzle.execute(`delete from ledger_accounts where organization_id = '${organizationId}'`);
  expect(await sewa([...unpark, "--reason", "It is right."], env)).toMatchObject({ code: 0 });
  expect(await sewa(["books", "findings"], env)).toEqual({ code: 0, stdout: "The books hold.\n", stderr: "" });
});

test("an operator is invited by a link that the portal opens", async () => {
  const { code, stdout } = await sewa(["admin", "create", "Ops@Example.com", "--name", "Ops"], env);
  expect(code).toBe(0);
  expect(stdout.trim().split("\n").at(-1)).toMatch(/^https:\/\/portal\.example\.com\/admin\/accept\?token=\S{20,}$/);
  const found = await sewa(["find", "users", "OPS@"], env);
  expect(found).toMatchObject({
    code: 0,
    stderr: "",
    stdout: expect.stringMatching(/usr_\w{26} +ops@example\.com/) as string,
  });
  expect(await sewa(["find", "orders"], env)).toEqual({ code: 0, stdout: "No orders.\n", stderr: "" });
  const refused = await sewa(["admin", "create", "nobody"], env);
  expect(refused).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^INVALID_INPUT: /) as string });
});

test("a job is added, listed, tried again and taken out", async () => {
  const task = ["--task", "house:clean", "--json"];
  expect(await sewa(["jobs", "run", "house:clean"], env)).toMatchObject({ code: 0 });
  const jobs = JSON.parse((await sewa(["jobs", "list", ...task], env)).stdout) as { id: string; status: string }[];
  expect(jobs).toMatchObject([{ task: "house:clean", status: "waiting", key: "house:clean", attempts: 0 }]);
  const id = jobs[0]!.id;
  expect(await sewa(["jobs", "retry", id], env)).toMatchObject({ code: 0, stdout: `Job ${id} is tried again now.\n` });
  expect(await sewa(["jobs", "cancel", id], env)).toMatchObject({ code: 0 });
  expect((await sewa(["jobs", "list", "--task", "house:clean"], env)).stdout).toBe("No jobs.\n");
  expect(await sewa(["jobs", "cancel", id], env)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/NOT_FOUND/) as string,
  });
});

test("a job that no task is for, or whose payload does not fit, is not added", async () => {
  expect(await sewa(["jobs", "run", "house:burn"], env)).toMatchObject({
    code: 1,
    stderr: 'INVALID_INPUT: There is no task "house:burn".\n',
  });
  const wrong = await sewa(["jobs", "run", "mail:send", '{"notificationId": "all"}'], env);
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/\n {2}notificationId: /) as string });
  expect(await sewa(["jobs", "run", "mail:send", "{"], env)).toMatchObject({ code: 2 });
});

test("machines are listed without a word for the subcommand, and an unknown one cannot be cordoned", async () => {
  expect(await sewa(["nodes"], env)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^No machine is known/) as string,
  });
  expect(await sewa(["nodes", "cordon", "pc-9"], env)).toMatchObject({ code: 1, stderr: "NOT_FOUND: No such node.\n" });
});

test("a clock is moved only where there is one", async () => {
  const nobody = `org_${"0".repeat(26)}`;
  const outcome = await sewa(["clock", "advance", nobody, "31 days"], env);
  expect(outcome).toMatchObject({ code: 1, stderr: "This organization does not live on a test clock.\n" });
  expect(await sewa(["clock", "advance", nobody], env)).toMatchObject({ code: 2 });
  expect(await sewa(["clock", "advance", "ana", "1 day"], env)).toMatchObject({ code: 2 });
});

test("a test clock arrives where it was sent, and shows it", async () => {
  await using worker = await startHouseProcess(
    "apps/worker/main.ts",
    {
      ...env,
      SECRETS_KEYRING: keyring,
      SMTP_URL: "smtp://127.0.0.1:9",
      MAIL_FROM: "a@b.test",
      WORKER_INTERNAL_PORT: "0",
    },
    /worker started/,
  );
  expect(worker.greeting).toContain("pool-");
  const organization = await organizationOnTestClock("2026-01-31T03:00:00Z");
  const moved = await sewa(["clock", "advance", organization, "2", "months", "--json"], env);
  expect(moved).toMatchObject({ code: 0 });
  expect(JSON.parse(moved.stdout)).toEqual({ now: "2026-03-31T03:00:00.000Z", target: "2026-03-31T03:00:00.000Z" });
  const shown = await sewa(["clock", "show", organization], env);
  expect(shown).toEqual({ code: 0, stdout: "now  2026-03-31T03:00:00Z\n", stderr: "" });
  const back = await sewa(["clock", "advance", organization, "--to", "2026-01-01T00:00:00Z"], env);
  expect(back).toMatchObject({ code: 1, stderr: expect.stringMatching(/^INVALID_INPUT: /) as string });
});

/** The public id of an operator's organization, whose time stands still at `now`. */
async function organizationOnTestClock(now: string): Promise<string> {
  const { code } = await sewa(["admin", "create", "clock@example.com"], env);
  expect(code).toBe(0);
  await using db = connectDatabase({ url: database.url, role: "sewa_worker", max: 1 });
  const [row] = await db.drizzle.execute<{ id: string }>(
    `insert into test_clocks (organization_id, now_at, target_at)
     select m.organization_id, '${now}', '${now}' from members m join users u on u.id = m.user_id
     where u.email = 'clock@example.com' returning organization_id as id`,
  );
  return toPublicId("organization", row!.id);
}

test("a database that is up to date stays so", async () => {
  expect(await sewa(["db", "migrate"], env)).toMatchObject({ code: 0, stdout: "The database is up to date.\n" });
});

test.each([
  ["no address", {}, 78, "DATABASE_URL: has to be set.\n"],
  ["another database", { DATABASE_URL: "mysql://root:hunter2@db/x" }, 78, /^DATABASE_URL: Not an address/],
  ["nobody there", { DATABASE_URL: "postgres://sewa:hunter2@127.0.0.1:9/x" }, 69, "The database cannot be reached.\n"],
])("O6 with %s in DATABASE_URL the command says so, without the value", async (_, variables, code, words) => {
  const outcome = await sewa(["jobs", "list"], variables);
  expect(outcome.code).toBe(code);
  expect(outcome.stderr).toMatch(words);
  expect(outcome.stderr).not.toContain("hunter2");
});

test("a coupon is made, listed, switched off and deleted; what makes no sense is said", async () => {
  const made = await sewa(["coupons", "create", "welcome", "--percent", "12.5", "--periods", "3", "--json"], env);
  expect(made).toMatchObject({ code: 0, stderr: "" });
  const { coupon } = JSON.parse(made.stdout) as { coupon: { id: string; code: string; basisPoints: number } };
  expect(coupon).toMatchObject({ code: "WELCOME", basisPoints: 1_250 });
  expect((await sewa(["coupons", "list"], env)).stdout).toMatch(/cpn_\w+\s+WELCOME\s+12\.5 %\s+3\s+0\s+-\s+active/);
  const id = toPublicId("coupon", coupon.id);
  expect((await sewa(["coupons", "deactivate", id], env)).stdout).toContain("WELCOME is redeemed by nobody any more.");
  expect(await sewa(["coupons", "delete", id], env)).toMatchObject({ code: 0, stdout: "WELCOME is gone.\n" });
  expect(await sewa(["coupons", "delete", id], env)).toMatchObject({ code: 1, stderr: "NOT_FOUND: No such coupon.\n" });
  expect(await sewa(["coupons", "create", "OTHER"], env)).toMatchObject({ code: 2 });
  expect(await sewa(["coupons", "create", "OTHER", "--percent", "1.005"], env)).toMatchObject({ code: 2 });
  expect(await sewa(["coupons", "create", "O", "--amount", "1000"], env)).toMatchObject({ code: 1 });
});
