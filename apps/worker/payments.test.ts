import {
  createContext,
  getPayment,
  getWallet,
  type PaymentProvider,
  type ProviderPayment,
  ProviderUnavailable,
  startTopUp,
} from "@sewa/core";
import { expect, test, vi } from "vitest";
import { startWorker } from "./start-worker.ts";
import { startTestHouse } from "./test-house.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Takes the money at once, and loses its first answer. */
function forgetfulGateway(): PaymentProvider & { readonly calls: readonly string[] } {
  const taken = new Map<string, ProviderPayment>();
  const calls: string[] = [];
  const unused = () => Promise.reject(new Error("Nobody asks for this here."));
  return {
    name: "sandbox",
    calls,
    begin({ reference, amountMinor, currency }) {
      calls.push("begin");
      const payment = { reference, providerReference: "gw_1", state: "succeeded", amountMinor, currency } as const;
      taken.set(reference, { ...payment, failure: null, checkoutUrl: null, method: null, succeededAt: new Date(0) });
      return Promise.reject(new ProviderUnavailable("The answer was lost."));
    },
    lookUp(reference) {
      calls.push("lookUp");
      return Promise.resolve(taken.get(reference) ?? null);
    },
    cancel: unused,
    refund: unused,
    lookUpRefund: unused,
    readNotice: () => {
      throw new Error("Nobody asks for this here.");
    },
  };
}

test("M8 a worker asks for a top-up, looks up the answer that was lost, and fills the wallet once", async () => {
  await using house = await startTestHouse();
  const gateway = forgetfulGateway();
  const dependencies = { ...house.core, paymentProviders: ["sandbox"] };
  const ctx = createContext(dependencies, house.core);
  await using worker = await startWorker({ ...house.options, providers: [gateway] });
  const amount = { amountMinor: 100_000n, currency: "IDR" };
  const { id } = await startTopUp(ctx, { ...amount, method: "checkout", idempotencyKey: "top-up-0001" });
  await vi.waitFor(async () => expect(await getPayment(ctx, id)).toMatchObject({ status: "succeeded" }), {
    timeout: 40_000,
    interval: 100,
  });
  expect((await getWallet(ctx)).balances).toEqual([amount]);
  expect(gateway.calls).toEqual(["begin", "lookUp"]);
  expect(worker.poolId).not.toBe("");
});
