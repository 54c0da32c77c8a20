import { expect, test } from "vitest";
import { reasons, rows } from "./rows.ts";
import { findRows } from "./rows-in.ts";

test("each row of faults has a test that names it, or a reason why it has none, and not both", () => {
  const named = new Set(findRows().keys());
  const missing = Object.keys(rows).filter((id) => !named.has(id) && !(id in reasons));
  const excused = Object.keys(reasons).filter((id) => named.has(id));
  const unknown = [...named].filter((id) => !(id in rows));
  expect({ missing, excused, unknown }).toEqual({ missing: [], excused: [], unknown: [] });
});
