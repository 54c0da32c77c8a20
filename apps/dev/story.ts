import { request } from "node:http";
import type { RouterOutputs } from "@sewa/api";
import { fromPublicId } from "@sewa/core";
import { testCards } from "@sewa/devgateway";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import { takeInventory } from "./dangling.ts";
import type { Narrator } from "./narrator.ts";
import type { Parts } from "./parts.ts";

type Instance = RouterOutputs["instances"]["get"];

const password = "correct horse battery";

/** Thrown when the world is not as the story says: the demo ends with exit code 1. */
class StoryError extends Error {
  override readonly name = "StoryError";
}

/** Plays the main job from the outside: HTTP and WebSocket as a portal uses them, each claim checked. */
export async function playStory(parts: Parts, apiUrl: string, tell: Narrator): Promise<void> {
  const check = (holds: boolean, claim: string): void => {
    if (!holds) throw new StoryError(`This is not so: ${claim}`);
    tell.fact(claim);
  };
  const email = `budi-${Date.now()}@example.com`;

  tell.chapter("A customer registers and verifies the address");
  const token = await register(parts, apiUrl, email, tell, check);
  await using client = createClient(apiUrl, token);
  const { api } = client;
  const me = await api.auth.me.query();
  check(me.user.email === email, `logged in as ${email}, with an organization of their own`);

  tell.chapter("They browse, and ask what it would cost");
  const plan = await choosePlan(client, check);
  const quote = await tell.during("the machines of the cluster are being counted", quoteWithRoom(client, plan.id));
  check(
    quote.total.amountMinor > 0n,
    `the quote: ${quote.total.currency} ${quote.total.amountMinor} until ${day(quote.period.end)}`,
  );
  check(quote.capacity.fits, "there is room for it");

  tell.chapter("They order, pay, and follow it live over a WebSocket");
  const order = await api.orders.place.mutate({
    planId: plan.id,
    parameters: {},
    name: "Status page",
    priceKey: quote.priceKey,
    idempotencyKey: `order-${Date.now()}`,
  });
  const { instanceId, id: subscriptionId } = order.subscription;
  await payOpenInvoice(parts, client, subscriptionId, tell, check);
  const ready = await tell.during(
    "the app is coming up",
    follow(client, instanceId, tell, ({ observedPhase, isOpen }) => observedPhase === "running" && isOpen),
  );
  check(ready.observedPhase === "running", `${ready.name} runs at ${ready.url}`);
  await tell.during(
    "the mail is under way",
    mailTo(parts, email, (subject, text) => subject !== "" && text.includes(new URL(ready.url).host)),
  );
  tell.fact("a mail says that it is ready");

  tell.chapter("They look at what they got");
  const { credentials } = await api.instances.revealCredentials.mutate({ instanceId });
  check(
    credentials.length >= 2 && credentials.every(({ value }) => value !== ""),
    `credentials: ${credentials.map(({ label }) => label).join(", ")} (the look is audited)`,
  );
  const volume = listCluster(parts, tell, check);
  await seePage(parts, ready.url, check);

  tell.chapter("A month passes, and nobody renews");
  await passDays(client, 31, tell);
  const expired = await tell.during(
    "the app is being stopped",
    follow(client, instanceId, tell, ({ observedPhase }) => observedPhase === "stopped"),
  );
  check(expired.observedPhase === "stopped", "expired: the app is stopped");
  check(
    (await api.subscriptions.get.query({ subscriptionId })).status === "expired" && charges(parts) === 1,
    "the subscription is expired and nothing more was charged",
  );
  check(replicas(parts) === 0, "its Deployment has 0 replicas");
  check(volumeUid(parts) === volume, "its volume is kept");

  tell.chapter("They renew, and the same app is back");
  await api.subscriptions.renew.mutate({ subscriptionId, idempotencyKey: `renew-${Date.now()}` });
  await payOpenInvoice(parts, client, subscriptionId, tell, check);
  const renewed = await until("it is renewed", async () => {
    const subscription = await api.subscriptions.get.query({ subscriptionId });
    return subscription.status === "active" ? subscription : null;
  });
  check(renewed.termNumber === 2, "a new term begins at the moment of payment");
  const back = await tell.during(
    "the app is coming up",
    follow(client, instanceId, tell, ({ observedPhase, isOpen }) => observedPhase === "running" && isOpen),
  );
  check(back.url === ready.url && volumeUid(parts) === volume, "same address, same volume");

  tell.chapter("They cancel, and everything goes");
  await api.subscriptions.cancelNow.mutate({
    subscriptionId,
    confirmName: "Status page",
    idempotencyKey: `cancel-${Date.now()}`,
  });
  await tell.during(
    "the namespace is being removed",
    follow(client, instanceId, tell, ({ observedPhase }) => observedPhase === "absent"),
  );
  await tell.during("the subscription is being closed", closed(client, subscriptionId));
  tell.fact("the cluster has confirmed that nothing is left");

  tell.chapter("Nothing dangles, and the books are kept");
  const inventory = await tell.during("the last jobs are ending", settledInventory(parts));
  for (const [name, count] of Object.entries(inventory.dangling)) check(count === 0, `${name}: 0`);
  for (const [name, count] of Object.entries(inventory.kept)) check(count > 0, `${name}: ${count}`);
  check(charges(parts) === 2, "the gateway has taken money twice: for each term once");
}

type Check = (holds: boolean, claim: string) => void;

async function register(parts: Parts, apiUrl: string, email: string, tell: Narrator, check: Check): Promise<string> {
  await using visitor = createClient(apiUrl, null);
  await visitor.api.auth.register.mutate({ email, password, name: "Budi", locale: "en" });
  const mail = await tell.during(
    "the mail is under way",
    mailTo(parts, email, (_, text) => text.includes("token=")),
  );
  const token = /[?&]token=([\w.~-]+)/.exec(mail.text)?.[1];
  check(token !== undefined, `the mail "${mail.subject}" was captured, with its link`);
  await visitor.api.auth.verifyEmail.mutate({ token: token ?? "" });
  const session = await visitor.api.auth.logIn.mutate({ email, password });
  return session.token;
}

async function mailTo(parts: Parts, email: string, fits: (subject: string, text: string) => boolean) {
  if (parts.mailHouse === null) throw new StoryError("The story needs its own mail server; leave SMTP_URL out.");
  return parts.mailHouse.waitFor(({ to, subject, text }) => to.includes(email) && fits(subject, text));
}

/** On the page of the gateway, as a browser would. */
async function payOpenInvoice(
  parts: Parts,
  { api }: Client,
  subscriptionId: string,
  tell: Narrator,
  check: Check,
): Promise<void> {
  const { items } = await api.invoices.list.query({});
  const invoice = items.find((item) => item.subscriptionId === subscriptionId && item.status === "open");
  if (invoice === undefined) throw new StoryError("There is no invoice to pay.");
  const begun = await api.payments.start.mutate({
    invoiceId: invoice.id,
    method: "checkout",
    idempotencyKey: `pay-${invoice.id}`,
  });
  const asked = await tell.during(
    "the gateway is being asked",
    until("there is a page to pay on", async () => {
      const payment = await api.payments.get.query({ paymentId: begun.id });
      return payment.checkoutUrl === null ? null : payment;
    }),
  );
  tell.note(`invoice ${invoice.number ?? ""}: they pay at ${asked.checkoutUrl ?? ""}`);
  const reference = fromPublicId("intent", asked.id) ?? "";
  parts.gateway.pay(reference, { type: "card", number: testCards.succeeds.number });
  const { total } = await tell.during(
    "the webhook is on its way",
    until("the invoice is paid", async () => {
      const paid = await api.invoices.get.query({ invoiceId: invoice.id });
      return paid.status === "paid" ? paid : null;
    }),
  );
  check(total.amountMinor > 0n, `paid by card: ${total.currency} ${total.amountMinor}`);
}

function charges({ gateway }: Parts): number {
  return gateway.payments().filter(({ state }) => state === "succeeded").length;
}

async function choosePlan({ api }: Client, check: Check) {
  const { items } = await api.offerings.list.query({});
  const plans = items.flatMap((offering) => offering.plans);
  check(
    items.length > 0 && plans.length > 0,
    `on offer: ${items.map(({ name, plans: list }) => `${name} (${list.map((plan) => plan.name).join(", ")})`).join("; ")}`,
  );
  const own = items.find(({ slug }) => slug === "uptime-kuma")?.plans ?? [];
  const plan = own.find(({ price }) => price !== null && price.amountMinor > 0n);
  if (plan === undefined) throw new StoryError("The catalog has no plan that costs.");
  return plan;
}

/** The worker writes the machines down when it has started; until then there is no room to promise. */
async function quoteWithRoom({ api }: Client, planId: string): Promise<RouterOutputs["orders"]["quote"]> {
  return until("there is room in the cluster", async () => {
    const quote = await api.orders.quote.query({ planId, parameters: {} });
    return quote.capacity.fits ? quote : null;
  });
}

/** Shows each step as it ends, from the live stream, until the instance is as hoped. */
async function follow(
  { api }: Client,
  instanceId: string,
  tell: Narrator,
  done: (instance: Instance) => boolean,
): Promise<Instance> {
  const told = new Set<string>();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stream.unsubscribe();
      reject(new StoryError("The app did not get there in time."));
    }, 60_000);
    const end = (finish: () => void): void => {
      clearTimeout(timer);
      stream.unsubscribe();
      finish();
    };
    const stream = api.instances.onStatus.subscribe(
      { instanceId },
      {
        onData({ data: instance }) {
          for (const { key, status } of instance.operation?.steps ?? []) {
            const line = `${instance.operation?.kind}: ${key}`;
            if (status !== "done" || told.has(line)) continue;
            told.add(line);
            tell.note(line);
          }
          if (done(instance)) end(() => resolve(instance));
        },
        onError: (error) => end(() => reject(error)),
      },
    );
  });
}

function listCluster(parts: Parts, tell: Narrator, check: Check): string | null {
  if (parts.devcluster === null) return null;
  const objects = parts.devcluster.objects().filter(({ metadata }) => metadata.namespace?.startsWith("sewa-") === true);
  const kinds = [...new Set(objects.map(({ kind }) => kind))].toSorted();
  check(
    ["Deployment", "Ingress", "NetworkPolicy", "PersistentVolumeClaim", "ResourceQuota"].every((kind) =>
      kinds.includes(kind),
    ),
    `in a namespace of its own: ${kinds.join(", ")}`,
  );
  for (const { kind, metadata } of objects.filter(({ kind: name }) => name === "Pod"))
    tell.note(`${kind} ${metadata.namespace}/${metadata.name}`);
  return volumeUid(parts);
}

function volumeUid(parts: Parts): string | null {
  return parts.devcluster?.objects("PersistentVolumeClaim")[0]?.metadata.uid ?? null;
}

function replicas(parts: Parts): number {
  if (parts.devcluster === null) return 0;
  return parts.devcluster
    .objects("Deployment")
    .reduce((sum, { spec }) => sum + Number((spec as { replicas?: number } | undefined)?.replicas ?? 0), 0);
}

/** Asked by number, because not every machine resolves names below localhost. */
async function seePage(parts: Parts, url: string, check: Check): Promise<void> {
  if (parts.devcluster === null) return;
  const { host, hostname, port } = new URL(url);
  const page = await new Promise<{ status: number; text: string }>((resolve, reject) => {
    request({ host: "127.0.0.1", port, headers: { host }, path: "/" }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    })
      .on("error", reject)
      .end();
  });
  check(page.status === 200 && page.text.includes("uptime-kuma"), `${hostname} shows the app's page`);
}

async function passDays({ api }: Client, days: number, tell: Narrator): Promise<void> {
  const clock = await api.clock.get.query();
  const to = new Date(clock.now.getTime() + days * 24 * 3_600_000);
  await api.clock.advance.mutate({ to });
  await tell.during(
    `${days} days pass on the test clock`,
    until("the clock has arrived", async () => ((await api.clock.get.query()).now >= to ? true : null)),
  );
  tell.fact(`it is ${day(to)} for this organization`);
}

async function closed({ api }: Client, subscriptionId: string): Promise<void> {
  await until(
    "the subscription is closed",
    async () => (await api.subscriptions.get.query({ subscriptionId })).purgedAt,
  );
}

async function settledInventory(parts: Parts): Promise<Awaited<ReturnType<typeof takeInventory>>> {
  const look = () => takeInventory(parts.databaseUrl, parts.devcluster);
  const settled = async () => {
    const inventory = await look();
    return Object.values(inventory.dangling).every((count) => count === 0) ? inventory : null;
  };
  // What is left after the bound is shown by the checks.
  return until("nothing dangles", settled, 10_000).catch(look);
}

async function until<T>(what: string, look: () => Promise<T | null>, timeoutMs = 45_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > deadline) throw new StoryError(`It took too long until ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
