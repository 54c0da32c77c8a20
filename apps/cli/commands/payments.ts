import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { PaymentDto, TransactionDto, WalletDto } from "@sewa/api";
import { fromMajor, type Money } from "@sewa/core";
import { type Command, InvalidArgumentError } from "commander";
import { listAll, type Session, withApi } from "../client.ts";
import { UsageError } from "../failure.ts";
import { formatMoney, formatTime, type JsonOption, leaf, say, sheet, show, table } from "../output.ts";

export function addPaymentCommands(program: Command): void {
  withChoice(
    leaf(program, "pay <invoice>", "pay an open invoice: on the gateway's page, by a saved card, or from the wallet"),
  )
    .option("--wallet", "out of the wallet")
    .action(pay);
  const payments = program.command("payments").description("payments of the organization");
  leaf(payments, "list", "payments, newest first").action(listPayments);
  leaf(payments, "cancel <id>", "let nobody pay it any more").action((paymentId: string, options: JsonOption) =>
    answer(options, ({ api }) => api.payments.cancel.mutate({ paymentId, idempotencyKey: randomUUID() })),
  );
  leaf(payments, "methods", "saved cards").action(listMethods);
  leaf(payments, "remove-method <id>", "forget a saved card").action(removeMethod);
  leaf(payments, "automatic <id>", "charge renewals to this card")
    .option("--off", "or not any more")
    .action(setAutomatic);
  const wallet = program.command("wallet").description("money that was paid ahead");
  leaf(wallet, "show", "what it holds").action((options: JsonOption) =>
    answerWallet(options, ({ api }) => api.wallet.get.query()),
  );
  withChoice(leaf(wallet, "top-up <amount>", "fill it, for example by 100000")).action(topUp);
  leaf(wallet, "auto", "fill it from a saved card whenever it falls below a threshold")
    .option("--below <amount>", "the threshold")
    .option("--by <amount>", "how much is charged")
    .option("--method <id>", "the saved card")
    .option("--off", "or not any more")
    .action(setAutoTopUp);
  const transactions = program.command("transactions").description("the organization's books");
  leaf(transactions, "list", "moves of money, newest first").action(listTransactions);
}

interface ChoiceOptions extends JsonOption {
  readonly method?: string;
  readonly save?: boolean;
  readonly wait: number;
}

function withChoice(command: Command): Command {
  return command
    .option("--method <id>", "charge this saved card")
    .option("--save", "keep the card that is used on the page")
    .option("--wait <seconds>", "how long to wait for the gateway", parseSeconds, 10);
}

function parseSeconds(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Say how many seconds.");
}

async function pay(invoiceId: string, options: ChoiceOptions & { readonly wallet?: boolean }): Promise<void> {
  const choice = options.wallet === true ? { method: "wallet" as const } : choiceOf(options);
  const start = { invoiceId, ...choice, idempotencyKey: randomUUID() };
  await answer(options, async (session) =>
    follow(session, await session.api.payments.start.mutate(start), options.wait),
  );
}

async function topUp(amount: string, options: ChoiceOptions): Promise<void> {
  await answer(options, async (session) => {
    const start = { amount: await amountOf(session, amount), ...choiceOf(options), idempotencyKey: randomUUID() };
    return follow(session, await session.api.wallet.topUp.mutate(start), options.wait);
  });
}

function choiceOf({ method, save = false }: ChoiceOptions) {
  if (method === undefined) return { method: "checkout", savesMethod: save } as const;
  return { method: "saved", methodId: method } as const;
}

const pollMs = 250;

/** Until there is a page to pay on, or an end; the gateway is asked by a worker, which takes a moment. */
async function follow({ api }: Session, started: PaymentDto, waitSeconds: number): Promise<PaymentDto> {
  const end = performance.now() + waitSeconds * 1_000;
  let payment = started;
  while (payment.endedAt === null && payment.checkoutUrl === null && performance.now() < end) {
    await pause(pollMs);
    payment = await api.payments.get.query({ paymentId: payment.id });
  }
  if (payment.checkoutUrl !== null) say(`Pay here: ${payment.checkoutUrl}`);
  return payment;
}

async function answer(options: JsonOption, call: (session: Session) => Promise<PaymentDto>): Promise<void> {
  const payment = await withApi(call);
  show(options, payment, () => describePayment(payment));
}

async function listPayments(options: JsonOption): Promise<void> {
  const payments = await withApi(({ api }) => listAll((page) => api.payments.list.query(page)));
  const rows = payments.map(({ id, status, purpose, provider, amount, failure, startedAt }) => ({
    id,
    status,
    for: purpose === "top_up" ? "wallet" : "invoice",
    by: provider,
    amount: formatMoney(amount),
    why: failure,
    begun: formatTime(startedAt),
  }));
  show(options, payments, () => table(rows, "No payments."));
}

async function listMethods(options: JsonOption): Promise<void> {
  const methods = await withApi(({ api }) => listAll((page) => api.payments.listMethods.query(page)));
  const rows = methods.map(({ id, label, isAutomatic, savedAt }) => ({
    id,
    card: label,
    renewals: isAutomatic ? "automatic" : "",
    saved: formatTime(savedAt),
  }));
  show(options, methods, () => table(rows, "No saved cards. One is kept with: sewa pay <invoice> --save"));
}

async function removeMethod(methodId: string, options: JsonOption): Promise<void> {
  const method = await withApi(({ api }) => api.payments.removeMethod.mutate({ methodId }));
  show(options, method, () => `${method.label} is forgotten.`);
}

async function setAutomatic(methodId: string, options: JsonOption & { readonly off?: boolean }): Promise<void> {
  const isAutomatic = options.off !== true;
  const method = await withApi(({ api }) => api.payments.setAutomatic.mutate({ methodId, isAutomatic }));
  const words = isAutomatic ? "Renewals are charged to" : "Renewals are not charged any more to";
  show(options, method, () => `${words} ${method.label}.`);
}

interface AutoOptions extends JsonOption {
  readonly below?: string;
  readonly by?: string;
  readonly method?: string;
  readonly off?: boolean;
}

async function setAutoTopUp(options: AutoOptions): Promise<void> {
  const { below, by, method: methodId, off = false } = options;
  if (off) return answerWallet(options, ({ api }) => api.wallet.setAutoTopUp.mutate({ autoTopUp: null }));
  if (below === undefined || by === undefined || methodId === undefined) {
    throw new UsageError("Say --below, --by and --method, or --off.");
  }
  return answerWallet(options, async (session) => {
    const { amountMinor: thresholdMinor } = await amountOf(session, below);
    const { amountMinor } = await amountOf(session, by);
    return session.api.wallet.setAutoTopUp.mutate({ autoTopUp: { thresholdMinor, amountMinor, methodId } });
  });
}

/** In the currency of the wallet, as people write it: `100000`, or `80.50`. */
async function amountOf({ api }: Session, text: string): Promise<Money> {
  const { balances } = await api.wallet.get.query();
  return fromMajor(text, balances[0]?.currency ?? "IDR");
}

async function answerWallet(options: JsonOption, call: (session: Session) => Promise<WalletDto>): Promise<void> {
  const wallet = await withApi(call);
  show(options, wallet, () => describeWallet(wallet));
}

async function listTransactions(options: JsonOption): Promise<void> {
  const transactions = await withApi(({ api }) => listAll((page) => api.transactions.list.query(page)));
  show(options, transactions, () => transactionTable(transactions));
}

export function transactionTable(transactions: readonly TransactionDto[]): string {
  const rows = transactions.map(({ sequence, kind, amount, debit, credit, sourceId, postedAt }) => ({
    "#": sequence,
    kind,
    amount: formatMoney(amount),
    from: credit,
    to: debit,
    about: sourceId,
    at: formatTime(postedAt),
  }));
  return table(rows, "No money has moved.");
}

function describePayment({ id, status, amount, failure, expiresAt, endedAt }: PaymentDto): string {
  return sheet({
    payment: id,
    status,
    amount: formatMoney(amount),
    ...(failure === null ? {} : { why: failure }),
    ...(endedAt === null ? { "has time until": formatTime(expiresAt) } : { ended: formatTime(endedAt) }),
  });
}

function describeWallet({ balances, autoTopUp }: WalletDto): string {
  const isOn = autoTopUp?.isEnabled === true;
  return sheet({
    balance: balances.map(formatMoney).join(", "),
    "filled automatically": isOn
      ? `by ${formatMoney(autoTopUp.amount)} when below ${formatMoney(autoTopUp.threshold)}, from ${autoTopUp.methodId}`
      : "no",
  });
}
