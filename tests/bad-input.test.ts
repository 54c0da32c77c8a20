import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

/**
 * What people send by mistake or on purpose: to the transport (from B1), to accounts and tokens (B23), as ids and in lists (B42), in blueprints and
 * to addresses (B51), about orders and apps (B69), about money, sockets and the house (B90). A test, or a case of one, names its rows at the
 * beginning of its name, wherever it stands.
 */
const rows: Readonly<Record<string, string>> = {
  B1: "body that is no JSON",
  B2: "input in the URL that is no JSON",
  B3: "no content type, or plain text",
  B4: "content type that begins like JSON",
  B5: "form to a mutation without input",
  B6: "bytes",
  B7: "body over the limit",
  B8: "batch over the limit",
  B9: "batch of a query and a mutation",
  B10: "wrong method",
  B11: "unknown procedure, or one of the prototype",
  B12: "unknown key",
  B13: "key that leads to a prototype",
  B14: "very deep nesting",
  B15: "key written twice",
  B16: "very long URL",
  B17: "another origin",
  B18: "cookie without an origin",
  B19: "forged X-Forwarded-For",
  B20: "error that nobody foresaw",
  B21: "database away",
  B22: "too many calls",
  B23: "address that is none",
  B24: "address in another spelling",
  B25: "address that is taken",
  B26: "password too short or too long",
  B27: "password that everybody tries",
  B28: "wrong password and unknown address",
  B29: "sixth failure",
  B30: "flood of log-ins",
  B31: "link that is wrong, used or over",
  B32: "link that is only looked at",
  B33: "two resets",
  B34: "cookie that opens nothing",
  B35: "session of who is suspended or gone",
  B36: "session that ends under an open socket",
  B37: "API token that is none",
  B38: "API token without the scope",
  B39: "API token for what only people or operators do",
  B40: "invitation for somebody else, or used",
  B41: "last owner made less",
  B42: "id that is none",
  B43: "id of nobody, or of another organization",
  B44: "own thing with another organization's part",
  B45: "organization named in the input",
  B46: "role that may not",
  B47: "forged or foreign cursor",
  B48: "limit out of range",
  B49: "order by a column",
  B50: "search that looks like a pattern",
  B51: "YAML that grows without end",
  B52: "YAML of great depth",
  B53: "YAML with tags, keys written twice, several documents",
  B54: "expression that looks for the machine",
  B55: "expression that looks for a prototype",
  B56: "expression that never ends",
  B57: "expression without a finite number",
  B58: "unknown parameter, mapping of a mapping",
  B59: "image that moves or climbs",
  B60: "quantity that is none",
  B61: "rights that a pod may not have",
  B62: "port that is none, or twice",
  B63: "address of this machine in another spelling",
  B64: "name that leads inside",
  B65: "another scheme, credentials, a redirect inside",
  B66: "addresses of IPv6 that lead inside",
  B67: "answer that never ends",
  B68: "archive that climbs or explodes",
  B69: "one order many times at once",
  B70: "one key for two wishes",
  B71: "no idempotency key, or none that could be one",
  B72: "plan that is not offered",
  B73: "price of the client's, or of yesterday",
  B74: "number of add-ons that cannot be",
  B75: "no room",
  B76: "address that is not proven",
  B77: "second trial",
  B78: "name that looks like one of the cluster",
  B79: "slug that is taken or ours",
  B80: "domain of somebody else",
  B81: "setting that nobody declared, value that looks like code",
  B82: "secret that is read back",
  B83: "start of what is being removed, stop twice",
  B84: "less storage than there was",
  B85: "renewal after the end",
  B86: "cancelled twice, or by somebody else",
  B87: "change of what has changed meanwhile",
  B88: "log of another place, or all of it",
  B89: "command to run",
  B90: "amount that is none",
  B91: "currency that is none, or another",
  B92: "more than the wallet holds",
  B93: "coupon that is not theirs, guesses",
  B94: "edit of an issued invoice",
  B95: "more given back than was paid",
  B96: "name of a document",
  B97: "measurement that cannot be, or comes twice",
  B98: "webhook that nobody signed",
  B99: "webhook of an unknown type",
  B100: "address for webhooks that turns private",
  B101: "markup and line breaks in what is mailed",
  B102: "backup of another app",
  B103: "broken frames on a socket",
  B104: "frame over the limit",
  B105: "socket of another origin",
  B106: "stream resumed from another one's event",
  B107: "operators' procedures, from others",
  B108: "edit of the audit, or ten years at once",
};

/** What there is nothing to send to. Whoever builds it takes the line out and writes the test. */
const reasons: Readonly<Record<string, string>> = {
  B68: "nobody uploads files or archives: the contract takes JSON alone",
  B80: "customers bring no domains: the address of an app is made here, under the house's own domain",
  B100: "Sewa sends no webhooks to customers: they read events, or follow them on a socket",
  B102: "apps have no backups of their own that a customer could restore",
};

/** The rows that the tests of the house name. Other letters, of faults and properties, may stand before or after them. */
function namedRows(): ReadonlySet<string> {
  const files = globSync("{apps,packages,tests}/**/*.test.ts", { exclude: ["**/node_modules/**"] });
  const titles = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/["'`]((?:[A-Z]\d+ )+)(?=\S)/g)]);
  return new Set(titles.flatMap(([, ids = ""]) => ids.split(" ").filter((id) => /^B\d+$/.test(id))));
}

test("each kind of bad input has a test that names it, or a reason why it has none, and not both", () => {
  const named = namedRows();
  const missing = Object.keys(rows).filter((id) => !named.has(id) && !(id in reasons));
  const excused = Object.keys(reasons).filter((id) => named.has(id) || !(id in rows));
  const unknown = [...named].filter((id) => !(id in rows));
  expect({ missing, excused, unknown }).toEqual({ missing: [], excused: [], unknown: [] });
  expect(Object.keys(rows)).toEqual(Array.from({ length: 108 }, (_, index) => `B${index + 1}`));
});
