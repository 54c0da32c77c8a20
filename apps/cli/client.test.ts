import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test, vi } from "vitest";
import { startTestApi } from "./test-api.ts";
import { repository, sewa, sewaProcess, storyMs } from "./test-command.ts";

vi.setConfig({ testTimeout: storyMs });

test("a customer logs in, orders, follows the app and ends it, all from the command line", async () => {
  await using api = await startTestApi();
  const run = async (...args: string[]) => (await api.run(args)) as Record<string, unknown>;
  const { email, password } = await api.open();

  const wrong = await sewa(["login", email], api.env, "wrong horse battery\n");
  expect(wrong).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^INVALID_CREDENTIALS: /) as string,
  });
  const login = await sewaProcess(["login", email, "--json"], api.env, `${password}\n`);
  expect(login).toMatchObject({ code: 0, stderr: "" });
  expect(login.stdout).not.toContain("token");
  expect(await run("me")).toMatchObject({ user: { email: "ana@example.com" } });

  const offerings = await sewa(["offerings"], api.env);
  expect(offerings.stdout).toContain("uptime-kuma/free");
  const quote = await run("orders", "quote", "uptime-kuma/free");
  expect(quote).toMatchObject({ total: { amountMinor: "0", currency: "IDR" }, capacity: { fits: true } });
  const order = await run("orders", "place", "uptime-kuma/free", "--name", "Status page");
  const { id: subscriptionId, instanceId } = order["subscription"] as { id: string; instanceId: string };
  expect((await sewa(["orders", "list"], api.env)).stdout).toContain(String(order["id"]));

  expect(await firstStatus(instanceId, api.env)).toMatchObject({ id: instanceId, operation: { kind: "provision" } });
  expect(await run("instances", "get", instanceId)).toMatchObject({ name: "Status page", isOpen: false });
  const chart = await sewa(["instances", "metrics", instanceId, "--range", "7d"], api.env);
  expect(chart.stdout).toMatch(/^MEASURE +CHART .*\ncpu +·{72} +- +- +500m\n/);
  expect(await run("instances", "uptime", instanceId, "--days", "2")).toMatchObject({ isWithinTarget: null });
  const early = await sewa(["instances", "stop", instanceId], api.env);
  expect(early).toMatchObject({ code: 1, stderr: expect.stringMatching(/^OPERATION_IN_PROGRESS: /) as string });

  // No worker runs here, so nobody makes the plan; what the database alone can refuse is refused at once.
  const resized = await sewa(["instances", "plan", instanceId, "--plan", "small"], api.env);
  expect(resized).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^INVALID_TRANSITION: .*not ready/) as string,
  });
  const unsaid = await sewa(["instances", "plan", instanceId], api.env);
  expect(unsaid).toMatchObject({ code: 2, stderr: expect.stringContaining("Say one thing") as string });
  expect(await run("instances", "plans", instanceId)).toEqual([]);
  const invented = await sewa(["instances", "apply", "chg_x", "--hash", "0".repeat(32)], api.env);
  expect(invented).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NOT_FOUND: /) as string });

  expect(await run("subscriptions", "cancel", subscriptionId)).toMatchObject({ cancelAtPeriodEnd: true });
  expect(await run("subscriptions", "undo-cancel", subscriptionId)).toMatchObject({ cancelAtPeriodEnd: false });
  const mistyped = await sewa(["subscriptions", "cancel", subscriptionId, "--now", "--confirm", "Shop"], api.env);
  expect(mistyped).toMatchObject({ code: 1, stderr: expect.stringMatching(/^NAME_MISMATCH: /) as string });
  const ended = await run("subscriptions", "cancel", subscriptionId, "--now", "--confirm", "Status page");
  expect(ended).toMatchObject({ status: "cancelled" });

  await run("logout");
  const nobody = await sewa(["me"], api.env);
  expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^UNAUTHORIZED: .*sewa login/) as string });
});

/** The first line of `sewa instances watch`, which is then ended as Ctrl-C would. */
async function firstStatus(instanceId: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "instances", "watch", instanceId, "--json"], {
    cwd: repository,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 60_000,
  });
  const exited = new Promise((resolve) => child.once("close", resolve));
  let output = "";
  const line = await new Promise<string>((resolve) => {
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes("\n")) resolve(output.slice(0, output.indexOf("\n")));
    });
    void exited.then(() => resolve(output));
  });
  child.kill("SIGINT");
  await exited;
  return JSON.parse(line);
}
