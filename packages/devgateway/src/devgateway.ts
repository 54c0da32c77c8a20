import { getPayment } from "./api/operations.ts";
import { type Log, startServer } from "./api/server.ts";
import { type PaymentView, type RefundView, viewPayment, viewRefund } from "./api/views.ts";
import { AnswerSwitches } from "./faults/answers.ts";
import { DeclineSwitches } from "./faults/declines.ts";
import { createFaults, type Faults } from "./faults/faults.ts";
import { Agenda } from "./payments/agenda.ts";
import type { Gateway } from "./payments/gateway.ts";
import type { LedgerBook } from "./payments/ledger.ts";
import { payPayment, type PayWith } from "./payments/payments.ts";
import { randomId, Store } from "./payments/store.ts";
import { readState, saveState } from "./state-file.ts";
import { Deliveries } from "./webhooks/deliveries.ts";
import { changeEvent } from "./webhooks/events.ts";
import { checkReceiver, checkSecrets, createWebhooks, type Webhooks } from "./webhooks/webhooks.ts";

/** Delayed cards and refunds to bank accounts. */
const delayMs = 5_000;

export interface DevgatewayOptions {
  /** Port on 127.0.0.1; 0 (the default) takes any. */
  readonly port?: number;
  /** Bearer keys of the API, any of which opens it. One is made when none is given. */
  readonly secretKeys?: readonly string[];
  /** What webhooks are signed with: all of them, each with a signature. One is made when none is given. */
  readonly webhookSecrets?: readonly string[];
  /** On this machine. Without it events wait until `webhooks.deliverTo`. */
  readonly webhookUrl?: string;
  /** Multiplies delays and back-offs: 1 (the default) is for people, 0 as fast as the event loop allows. */
  readonly pace?: number;
  /** Of what is left to chance with webhooks. 1 when left out. */
  readonly seed?: number;
  /** The time of expiries, delays and signatures; the machine's when left out. */
  readonly clock?: () => Date;
  /** Everything is read from this file at the start and written into it after changes, the keys included. */
  readonly stateFile?: string;
  readonly log?: Log;
}

export interface Devgateway extends AsyncDisposable {
  /** `http://127.0.0.1:port` of the API and the checkout pages. */
  readonly url: string;
  /** The first of the keys that open the API. */
  readonly secretKey: string;
  /** What webhooks were signed with at the start. */
  readonly webhookSecrets: readonly string[];
  readonly faults: Faults;
  readonly webhooks: Webhooks;
  /** All payments, oldest first, as the API shows them. */
  payments(): readonly PaymentView[];
  refunds(): readonly RefundView[];
  /** Does what a customer does on the checkout page. A decline is an answer; throws when nobody can pay there. */
  pay(reference: string, how: PayWith): PaymentView;
  /** What was taken and given back, in the gateway's smallest units. */
  ledger(): LedgerBook;
  /** Does now what is due by the clock, instead of within a second. */
  catchUp(): void;
  stop(): Promise<void>;
}

/** Starts a payment gateway in this process, on loopback. Stop it, or nothing ends. */
export async function startDevgateway(options: DevgatewayOptions = {}): Promise<Devgateway> {
  const { port = 0, pace = 1, seed = 1, clock = (): Date => new Date(), log = (): void => undefined } = options;
  if (!(pace >= 0)) throw new Error(`pace must be a number from 0 on, not ${pace}`);
  const saved = options.stateFile === undefined ? null : readState(options.stateFile);
  const secretKeys = checkSecrets(options.secretKeys ?? saved?.secretKeys ?? [randomId("sk")]);
  const webhookSecrets = checkSecrets(options.webhookSecrets ?? saved?.webhookSecrets ?? [randomId("whsec")]);
  const url = options.webhookUrl === undefined ? null : checkReceiver(options.webhookUrl);
  const now = (): number => clock().getTime();

  const store = new Store(saved);
  const declines = new DeclineSwitches();
  const gateway: Gateway = { store, declines, now, delayMs: delayMs * pace };
  const deliveries = new Deliveries({ url, secrets: webhookSecrets, pace, seed, now }, saved?.undelivered ?? []);
  store.subscribe((change) => deliveries.publish(changeEvent(change, now())));
  const agenda = new Agenda(gateway);
  const switches = new AnswerSwitches();
  const server = await startServer({ gateway, agenda, switches, secretKeys, port, log });
  const saver =
    options.stateFile === undefined
      ? null
      : saveState(
          options.stateFile,
          () => ({
            ...store.state(),
            secretKeys,
            webhookSecrets: deliveries.secrets,
            undelivered: deliveries.undelivered(),
          }),
          (error) => log("state not saved", { error: String(error) }),
        );
  store.subscribe(() => saver?.changed());

  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    agenda.stop();
    deliveries.stop();
    await server.close();
    await saver?.close();
  };
  return {
    url: server.url,
    secretKey: secretKeys[0] ?? "",
    webhookSecrets,
    faults: createFaults(switches, declines),
    webhooks: createWebhooks({ deliveries, now, findPayment: (reference) => getPayment(gateway, reference) }),
    payments: () => store.payments().map((payment) => viewPayment(store, server.url, payment)),
    refunds: () => store.refunds().map(viewRefund),
    pay(reference, how) {
      agenda.catchUp();
      return viewPayment(store, server.url, payPayment(gateway, getPayment(gateway, reference), how));
    },
    ledger: () => store.ledger.book(),
    catchUp: () => agenda.catchUp(),
    stop: () => (stopping ??= stop()),
    [Symbol.asyncDispose]: () => (stopping ??= stop()),
  };
}
