import { type AddressInfo, createServer } from "node:net";
import { connectDatabase } from "@sewa/db";
import { openSecret, parseKeyring } from "@sewa/core";
import { dataKeys, paymentMethods } from "@sewa/db/schema";
import { createClient, webhookUrl, withCore } from "@sewa/dev";
import { testCards } from "@sewa/devgateway";
import { eq } from "drizzle-orm";
import { expect, test } from "vitest";
import { ended, openCheckout, orderDear, referenceOf } from "../payments/house.ts";
import { isUp, order, reached, startHouse, until } from "../house.ts";
import { startApp } from "./app-process.ts";

/** What nobody may find: by name, so that a failure says which one it was without saying it. */
type Canaries = Map<string, string>;

interface Place {
  readonly name: string;
  readonly text: string;
}

/** Shorter ones would be found by chance. */
const leastCharacters = 10;

/** As it is, and as it travels in headers, addresses, dumps of bytes and objects of the cluster. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...inBase64(bytes),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ];
}

/** What stays the same of it wherever it stands within something longer: three ways, by the place modulo three. */
function inBase64(bytes: Buffer): readonly string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64url");
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("-", "+").replaceAll("_", "/")];
  });
}

function findLeaks(canaries: Canaries, places: readonly Place[]): readonly string[] {
  return places.flatMap(({ name: place, text }) =>
    [...canaries]
      .filter(([, secret]) => formsOf(secret).some((form) => text.includes(form)))
      .map(([name]) => `${name} in ${place}`),
  );
}

/** Jobs are deleted when they are done, so each version of each row is kept aside. */
async function watchJobs(databaseUrl: string): Promise<void> {
  await using database = connectDatabase({ url: databaseUrl, role: "sewa_worker", max: 1 });
  for (const statement of [
    "create table graphile_worker.seen_jobs (line text)",
    `create function graphile_worker.see_job() returns trigger language plpgsql as
      $$ begin insert into graphile_worker.seen_jobs values (new::text); return null; end $$`,
    `create trigger see_job after insert or update on graphile_worker._private_jobs
      for each row execute function graphile_worker.see_job()`,
  ])
    await database.drizzle.execute(statement);
}

/** Asks who it is, and knows nobody. */
async function startRefusingMailServer(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).write("220 mail.test ESMTP\r\n");
    socket.on("data", (chunk: Buffer) => {
      const isGreeting = /^EHLO/i.test(chunk.toString());
      socket.write(isGreeting ? "250-mail.test\r\n250 AUTH PLAIN LOGIN\r\n" : "535 5.7.8 Credentials are wrong\r\n");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Every row of every table, as text. */
async function readTables(databaseUrl: string): Promise<readonly Place[]> {
  await using database = connectDatabase({ url: databaseUrl, role: "sewa_worker", max: 1 });
  const tables = await database.drizzle.execute<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('public', 'graphile_worker')",
  );
  const places: Place[] = [];
  for (const { name } of tables) {
    const rows = await database.drizzle.execute<{ line: string }>(`select t::text as line from ${name} t`);
    places.push({ name, text: rows.map(({ line }) => line).join("\n") });
  }
  return places;
}

/** Calls that are refused, each with something secret in it. */
async function refusedAnswers(apiUrl: string, canaries: Canaries): Promise<readonly Place[]> {
  const secret = (name: string): string => {
    const text = `canary-${name}-${crypto.randomUUID()}`;
    canaries.set(name, text);
    return text;
  };
  const call = async (path: string, body: string, headers: Record<string, string> = {}): Promise<Place> => {
    const request = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
    const answer = await fetch(`${apiUrl}/trpc/${path}`, request);
    expect({ path, isRefused: answer.status >= 400 }).toEqual({ path, isRefused: true });
    return { name: `the answer of ${path}`, text: await answer.text() };
  };
  const json = (input: unknown): string => JSON.stringify({ json: input });
  const email = "somebody@example.com";
  return [
    await call("auth.logIn", json({ email, password: secret("wrong password") })),
    await call("auth.logIn", json({ email, password: { deep: secret("password in the wrong place") } })),
    await call("auth.logIn", json({ email: secret("password typed as email"), password: "" })),
    await call("auth.logIn", `{"json": {"password": "${secret("password in broken JSON")}"`),
    await call("auth.verifyEmail", json({ token: secret("made-up token") })),
    await call(
      "auth.resetPassword",
      json({ token: secret("made-up reset token"), newPassword: secret("new password") }),
    ),
    await call("auth.logOut", json({ [secret("unknown field")]: 1 }), { authorization: `Bearer ${secret("bearer")}` }),
    await call(`auth.${secret("procedure")}`, json({}), { cookie: `session=${secret("cookie")}` }),
  ];
}

/** A paid order whose card is kept: what the gateway gave for the card, and what closes it in our database. */
async function payWithCard(
  house: Awaited<ReturnType<typeof startHouse>>,
  customer: Awaited<ReturnType<typeof house.customer>>,
): Promise<readonly (readonly [string, string])[]> {
  const { gateway, env } = house.parts;
  const { instanceId, invoiceId } = await orderDear(customer);
  const payment = await openCheckout(customer, invoiceId, true);
  gateway.pay(referenceOf(payment), { type: "card", number: testCards.succeeds.number, isKept: true });
  expect(await ended(customer, payment)).toMatchObject({ status: "succeeded" });
  await reached(customer, instanceId, isUp);
  return withCore(house.parts, async (ctx) => {
    const [card] = await ctx.db.drizzle.select().from(paymentMethods);
    const { id, organizationId, keyId, sealed } = card!;
    const open = { keyId: keyId!, sealed: sealed! };
    const token = await ctx
      .forOrganization(organizationId)
      .transaction((tx) => openSecret(tx, { table: "payment_methods", id }, open));
    const [own] = await ctx.db.drizzle.select().from(dataKeys).where(eq(dataKeys.organizationId, organizationId));
    const key = parseKeyring(env["SECRETS_KEYRING"]!).open(own!, `data_keys|${organizationId}|${own!.id}`);
    return [
      ["number of the card", testCards.succeeds.number],
      ["token of the card", token],
      ["key of the organization", key],
      ["key of the organization as bytes", Buffer.from(key, "base64").toString("hex")],
    ];
  });
}

test("O4 after a life with refusals and failures no secret stands in a log, a row, a job, a metric, an answer or an open object", async () => {
  await using house = await startHouse({ servers: 0, workers: 0 });
  const { databaseUrl, env, mailHouse, devcluster } = house.parts;
  await watchJobs(databaseUrl);
  const quick = { ...env, STOP_DELAY_SECONDS: "0" };
  await using server = await startApp("server", quick, { logLevel: "trace" });
  await using worker = await startApp("worker", quick, { logLevel: "trace" });
  const apiUrl = server.started["url"]!;
  const canaries: Canaries = new Map([
    ["password of the database", decodeURIComponent(new URL(env["DATABASE_URL"]!).password)],
    ["key of the keyring", env["SECRETS_KEYRING"]!.split(":")[1]!],
    ["key of the gateway", env["SANDBOX_GATEWAY_KEY"]!],
    ["secret of the webhooks", env["SANDBOX_WEBHOOK_SECRETS"]!.split(",")[0]!],
    ["token of the cluster", /token: "?([^"\s]+)/.exec(devcluster!.kubeconfig)![1]!],
  ]);

  await using customer = await house.customer({ url: apiUrl });
  canaries.set("password", customer.password).set("session token", customer.token);
  const { subscription } = await order(customer, "App");
  const { instanceId } = subscription;
  await reached(customer, instanceId, isUp);
  const { credentials } = await customer.api.instances.revealCredentials.mutate({ instanceId });
  const passwords = credentials.filter(({ name }) => /password/i.test(name));
  expect(passwords).not.toEqual([]);
  for (const { name, value } of passwords) canaries.set(`the app's ${name}`, value);
  house.parts.gateway.webhooks.deliverTo(webhookUrl(apiUrl));
  for (const [name, secret] of await payWithCard(house, customer)) canaries.set(name, secret);
  const { ticket } = await customer.api.auth.socketTicket.mutate();
  canaries.set("socket ticket", ticket);
  {
    await using visitor = createClient(apiUrl, null);
    await visitor.api.auth.requestPasswordReset.mutate({ email: customer.email });
    const mail = await mailHouse!.waitFor(({ text }) => /reset\S*token=/.test(text));
    const token = /token=([\w.~-]+)/.exec(mail.text)![1]!;
    const newPassword = `canary ${crypto.randomUUID()}`;
    canaries.set("reset token", token).set("new password of the customer", newPassword);
    await visitor.api.auth.resetPassword.mutate({ token, newPassword });
  }
  const answers = await refusedAnswers(apiUrl, canaries);

  // A mail server that knows nobody by this password.
  await worker.stop("SIGTERM");
  await using mailServer = await startRefusingMailServer();
  const smtpUrl = new URL(`smtp://sewa:canary-smtp-${crypto.randomUUID()}@127.0.0.1:${mailServer.port}`);
  canaries.set("password of the mail server", smtpUrl.password);
  await using refused = await startApp("worker", { ...quick, SMTP_URL: smtpUrl.href }, { logLevel: "trace" });
  {
    await using visitor = createClient(apiUrl, null);
    const password = `canary ${crypto.randomUUID()}`;
    canaries.set("password of somebody unverified", password);
    await visitor.api.auth.register.mutate({ email: "new@example.com", password, name: "Ana", locale: "en" });
  }
  await until("the mail was refused", () => (refused.output().includes('"job failed"') ? true : null));

  for (const [name, secret] of canaries)
    expect({ name, isLong: secret.length >= leastCharacters }).toEqual({ name, isLong: true });
  const metrics = await Promise.all(
    [server, refused].map(async ({ started }) => (await fetch(`${started["internalUrl"]}/metrics`)).text()),
  );
  const openObjects = devcluster!.objects().filter(({ kind }) => kind !== "Secret");
  const tables = await readTables(databaseUrl);
  const places: Place[] = [
    { name: "the server's log", text: server.output() },
    { name: "the worker's log", text: worker.output() },
    { name: "the log of the refused worker", text: refused.output() },
    { name: "metrics", text: metrics.join("\n") },
    { name: "objects of the cluster", text: JSON.stringify(openObjects) },
    ...answers,
    ...tables,
  ];
  // Where there is nothing, nothing is found: each of these has something to look through.
  const silent = [
    "graphile_worker.seen_jobs",
    "public.events",
    "public.audit_entries",
    "public.notifications",
    "public.payment_notices",
    "public.data_keys",
    "metrics",
  ].filter((name) => places.find((place) => place.name === name)!.text === "");
  expect(silent).toEqual([]);
  expect(findLeaks(canaries, places)).toEqual([]);
  // And what is looked for can be found: the app's password is in its Secret.
  const secrets = JSON.stringify(devcluster!.objects("Secret"));
  expect(findLeaks(canaries, [{ name: "its Secret", text: secrets }])).toContain(
    `the app's ${passwords[0]!.name} in its Secret`,
  );
}, 120_000);
