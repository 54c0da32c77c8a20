import { expect, test } from "vitest";
import { isDisposable } from "./index.ts";

const rules = { also: ["throwaway.example", "mail.lasting.example"], except: ["yopmail.com", "lasting.example"] };

test.each([
  ["ana@mailinator.com", true],
  ["ana@MAILINATOR.com", true],
  ["ana@deep.below.mailinator.com", true],
  ["ana@almost-mailinator.com", false],
  ["ana@mailinator.com.example", false],
  ["ana@gmail.com", false],
  ["ana@customer.test", false],
  // Said by the operator.
  ["ana@throwaway.example", true],
  ["ana@x.throwaway.example", true],
  ["ana@yopmail.com", false],
  ["ana@x.yopmail.com", false],
  ["ana@lasting.example", false],
  ["ana@mail.lasting.example", true],
] as const)("%s: given out by a throw-away mail provider: %s", (email, expected) => {
  expect(isDisposable(email, rules)).toBe(expected);
});

test("an exception counts more than an addition of the same domain", () => {
  expect(isDisposable("ana@both.example", { also: ["both.example"], except: ["both.example"] })).toBe(false);
});
