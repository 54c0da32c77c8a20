import { expect, test } from "vitest";
import { table, toJson } from "./output.ts";

test("a name cannot move the cursor of the terminal that shows it", () => {
  expect(table([{ name: "\u001b[2Jshop\r\n\u009b31m" }], "")).toBe("NAME\n?[2Jshop???31m");
});

test("columns are as wide as their widest value, and lines end where their text ends", () => {
  expect(
    table(
      [
        { id: 1, name: "a" },
        { id: 22, name: null },
      ],
      "",
    ),
  ).toBe("ID  NAME\n1   a\n22");
  expect(table([], "Nothing.")).toBe("Nothing.");
});

test("amounts keep every digit in JSON", () => {
  expect(JSON.parse(toJson({ amountMinor: 9_007_199_254_740_993n }))).toEqual({ amountMinor: "9007199254740993" });
});
