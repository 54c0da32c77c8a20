import { register } from "@sewa/core";
import { expect, test } from "vitest";
import { startWorker } from "./start-worker.ts";
import { startTestHouse, until } from "./test-house.ts";
import { startTestSmtp } from "./test-smtp.ts";

const ana = { email: "ana@example.com", password: "correct horse", name: "Ana", locale: "en" } as const;

test("a customer who registers gets a mail with a link, from the sender of the house", async () => {
  await using smtp = await startTestSmtp();
  await using house = await startTestHouse({ smtpUrl: smtp.url });
  await using _worker = await startWorker(house.options);
  await register(house.core, ana);
  const mail = await until("the mail is there", () => smtp.mails[0]);
  expect(mail).toMatch(/^From: Sewa <no-reply@sewa\.test>$/m);
  expect(mail).toMatch(/^To: ana@example\.com$/m);
  expect(mail).toMatch(/^Message-ID: <[0-9a-f-]{36}@portal\.test>$/im);
  expect(mail).toContain("http://portal.test/verify-email?token=");
  await until("it is marked", async () => {
    return (await house.sql("select id from notifications where status = 'sent'")).length === 1;
  });
  expect(mail).not.toContain(ana.password);
});

test("a mail that was refused is sent later, under the same Message-ID, and its job tells no address", async () => {
  await using smtp = await startTestSmtp();
  smtp.refuse(true);
  await using house = await startTestHouse({ smtpUrl: smtp.url });
  await using _worker = await startWorker(house.options);
  await register(house.core, ana);
  const failed = await until("it was refused", async () => {
    const [job] = await house.sql(
      "select id, last_error from graphile_worker._private_jobs where last_error is not null",
    );
    return job;
  });
  expect(failed["last_error"]).toMatch(/^The mail could not be sent: /);
  expect(failed["last_error"]).not.toContain("ana@example.com");
  smtp.refuse(false);
  await house.sql("update graphile_worker._private_jobs set run_at = now()");
  const mail = await until("the mail is there", () => smtp.mails[0]);
  const [row] = await house.sql("select id from notifications");
  expect(mail).toContain(`<${String(row?.["id"])}@portal.test>`);
});
