import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createServerLog, readEnv, startServer, toServerOptions } from "@sewa/server";
import { expect, test } from "vitest";
import { startHouse } from "../house.ts";
import { freePort, installClient } from "./client.ts";

test(
  "the example compiles against the packed contract; it logs in, orders, follows live and renders a customer's apps",
  { timeout: 300_000 },
  async () => {
    await using client = await installClient();
    expect(await readFile(join(client.folder, "pnpm-lock.yaml"), "utf8")).not.toMatch(/https?:/);
    expect(await client.build()).toContain("Finished TypeScript");

    await using house = await startHouse({ servers: 0 });
    const origin = `http://127.0.0.1:${await freePort()}`;
    const env = readEnv({ ...house.parts.env, CORS_ORIGINS: origin });
    await using server = await startServer(toServerOptions(env, createServerLog({ level: "fatal" })));
    await using customer = await house.customer(server);
    await using _next = await client.start(Number(new URL(origin).port), { SEWA_API_URL: server.url });

    const { email, password } = customer;
    const name = "Status & more";
    const { cookie, instanceId, ...seen } = await client.browse([server.url, origin, email, password, name]);
    expect(seen).toEqual({
      stranger: "Please log in.",
      wrongPassword: "E-mail address or password is wrong.",
      changed: "changed",
      isOneOrder: true,
      unknown: expect.stringMatching(/\S/) as string,
      isReconnected: true,
      isResumed: true,
    });

    const page = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      fetch(origin + path, { headers, redirect: "manual" });
    const asCustomer = { cookie: `theme=dark; ${String(cookie)}` };
    const list = await page("/", asCustomer);
    expect(list.status).toBe(200);
    const html = await list.text();
    expect(html).toContain(email);
    expect(html).toContain("Status &amp; more");
    expect(html).toContain(`/apps/${String(instanceId)}`);
    expect(await (await page(`/apps/${String(instanceId)}`, asCustomer)).text()).toContain("stopped");
    expect((await page(`/apps/ins_${"0".repeat(26)}`, asCustomer)).status).toBe(404);

    const stranger = await page("/");
    expect([stranger.status, stranger.headers.get("location")]).toEqual([307, "/log-in"]);
    expect(await (await page("/log-in")).text()).toContain(server.url);
  },
);
