import { expect, test, vi } from "vitest";
import { startTestApi } from "./test-api.ts";
import { sewa, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

test("a customer pays from a wallet that an operator has filled, and a part is given back, all from the command line", async () => {
  await using api = await startTestApi();
  const run = async (...args: string[]) => (await api.run(args)) as Record<string, unknown>;
  const { email, password } = await api.open();
  await sewa(["login", email], api.env, `${password}\n`);
  const { organization } = (await run("me")) as { organization: { id: string } };
  const order = await run("orders", "place", "uptime-kuma/small", "--name", "Status page");
  const { nextInvoice } = order["subscription"] as { nextInvoice: { id: string } };

  const byCard = await sewa(["pay", nextInvoice.id], api.env);
  expect(byCard).toMatchObject({ code: 1, stderr: expect.stringMatching(/^PAYMENT_UNAVAILABLE: /) as string });
  const tooEarly = await sewa(["pay", nextInvoice.id, "--wallet"], api.env);
  expect(tooEarly).toMatchObject({ code: 1, stderr: expect.stringMatching(/^INSUFFICIENT_FUNDS: /) as string });
  const adjust = ["admin", "transactions", "adjust", organization.id];
  const unreasoned = await sewa([...adjust, "60000"], api.env);
  expect(unreasoned).toMatchObject({ code: 2, stderr: expect.stringContaining("--reason") as string });
  const reason = ["--reason", "For your patience."];
  await run(...adjust, "60000", ...reason, "--key", "gift-0001");
  await run(...adjust, "60000", ...reason, "--key", "gift-0001");
  await run(...adjust, "1000", ...reason, "--take");
  expect((await sewa(["wallet", "show"], api.env)).stdout).toBe(
    "balance               59000 IDR\nfilled automatically  no\n",
  );
  expect(await run("pay", nextInvoice.id, "--wallet")).toMatchObject({ status: "succeeded", provider: "wallet" });
  expect((await sewa(["payments", "list"], api.env)).stdout).toMatch(/succeeded +invoice +wallet +50000 IDR/);

  const [spent] = (await run("transactions", "list")) as unknown as { kind: string; sourceId: string }[];
  expect(spent).toMatchObject({ kind: "wallet_spent", sourceId: expect.stringMatching(/^pay_/) as string });
  const refund = ["admin", "transactions", "refund", organization.id, spent!.sourceId];
  await run(...refund, "10000", ...reason);
  const tooMuch = await sewa([...refund, "40001", ...reason], api.env);
  expect(tooMuch).toMatchObject({ code: 1, stderr: expect.stringMatching(/^REFUND: /) as string });
  const books = await sewa(["admin", "transactions", "list", organization.id], api.env);
  expect(books.stdout).toMatch(/wallet_refunded +10000 IDR +wallet +revenue|wallet_refunded +10000 IDR +wallet/);
  expect(await sewa(["ledger", "verify"], api.env)).toMatchObject({ code: 0 });
});

test("an automatic top-up that says too little is refused before the api is asked", async () => {
  const outcome = await sewa(["wallet", "auto", "--below", "5"], { SEWA_API_URL: "http://127.0.0.1:9" });
  expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining("--method") as string });
});
