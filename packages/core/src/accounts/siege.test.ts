import { expect, test } from "vitest";
import { addMs, dayMs, minuteMs } from "../clock.ts";
import { type TestCore, testCore } from "../testing/test-core.ts";
import { logIn, mintMailLink, requestPasswordReset, resetPassword } from "./index.ts";
import { refusal } from "../testing/refusal.ts";
import { ana, anaWithTotp, codeAt, tokenOf, verifiedAna } from "./test-accounts.ts";

/** A stranger with as many addresses as they like fails as often as the account bears, and then some. */
async function besiege(core: TestCore, email: string): Promise<void> {
  for (let wave = 0; wave < 6; wave += 1) {
    const guesses = Array.from({ length: 10 }, (_, host) =>
      refusal(logIn(core.ctx, { email, password: "wrong horse", ip: `198.51.${wave}.${host}` })),
    );
    await Promise.all(guesses);
  }
}

const home = { ...ana, ip: "192.0.2.1" };

test("a stranger at many addresses does not keep out an owner who has a second factor", async () => {
  await using core = await testCore();
  const { secret, recoveryCodes } = await anaWithTotp(core);
  await besiege(core, ana.email);
  core.clock.set(addMs(core.clock.now(), minuteMs));
  expect(await refusal(logIn(core.ctx, home))).toMatchObject({ code: "RATE_LIMITED" });
  await logIn(core.ctx, { ...home, code: codeAt(secret, core.clock.now()) });
  await logIn(core.ctx, { ...home, code: recoveryCodes[0] });
});

test("a stranger at many addresses does not keep out an owner who reads their mail", async () => {
  await using core = await testCore();
  const { userId } = await verifiedAna(core);
  await besiege(core, ana.email);
  expect(await refusal(logIn(core.ctx, home))).toMatchObject({ code: "RATE_LIMITED" });
  await requestPasswordReset(core.ctx, home);
  const token = tokenOf(await mintMailLink(core.ctx, { kind: "reset_password", userId }));
  await resetPassword(core.ctx, { token, newPassword: "a new password" });
  await logIn(core.ctx, { ...home, password: "a new password" });
});

test("who guesses at a besieged account learns nothing: not the password, not whether there is an account or a factor", async () => {
  await using core = await testCore();
  await anaWithTotp(core);
  const ben = "ben@example.com";
  for (const email of [ana.email, ben]) await besiege(core, email);
  const answer = async (input: object): Promise<readonly unknown[]> => {
    const { code, message, issues, retryAfterSeconds } = await refusal(logIn(core.ctx, { ...ana, ...input }));
    return [code, message, issues, retryAfterSeconds];
  };
  const guesses = [{}, { password: "wrong horse" }, { email: ben }];
  const at = (host: number) => ({ ip: `203.0.113.${host}` });
  const alone = await Promise.all(guesses.map((guess, index) => answer({ ...guess, ...at(index) })));
  const withCode = await Promise.all(guesses.map((guess, index) => answer({ ...guess, ...at(index), code: "000000" })));
  for (const answers of [alone, withCode]) for (const each of answers) expect(each).toEqual(answers[0]);
  expect([alone[0]?.[0], withCode[0]?.[0]]).toEqual(["RATE_LIMITED", "INVALID_CREDENTIALS"]);
});

test("a code proves nothing where there is no second factor, and after a day the password does again", async () => {
  await using core = await testCore();
  await verifiedAna(core);
  await besiege(core, ana.email);
  expect(await refusal(logIn(core.ctx, { ...home, code: "123456" }))).toMatchObject({ code: "INVALID_CREDENTIALS" });
  core.clock.set(addMs(core.clock.now(), dayMs));
  await logIn(core.ctx, home);
});
