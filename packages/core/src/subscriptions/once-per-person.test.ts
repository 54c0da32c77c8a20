import { expect, test } from "vitest";
import { canonicalAddress } from "./once-per-person.ts";

test.each([
  ["Ana@Customer.Test", "ana@customer.test"],
  ["a.na+x+y@customer.test", "a.na@customer.test"],
  ["a.n.a@gmail.com", "ana@gmail.com"],
  ["ana+shop@GoogleMail.com", "ana@gmail.com"],
  ['"a@b"@customer.test', '"a@b"@customer.test'],
])("%s is the mailbox %s", (email, mailbox) => {
  expect(canonicalAddress(email)).toBe(mailbox);
});
