import fc from "fast-check";

/** What may come out nowhere. No text that is made at random holds it. */
export const canary = "canary-5f0c1d";

const secretNames = [
  "password",
  "newPassword",
  "passwordHash",
  "token",
  "sessionToken",
  "accessTokens",
  "ticket",
  "set-cookie",
  "cookies",
  "Authorization",
  "api_key",
  "apiKeys",
  "secretKey",
  "webhook_secrets",
  "credentials",
  "privateKey",
  "recoveryCodes",
  "SECRETS_KEYRING",
  "sealed",
];
/** Texts in which something tells that a secret follows. */
const plantedTexts: readonly string[] = [
  `smtp://sewa:${canary}@mail.test:25`,
  `connect to postgres://u:${canary}@db/x failed`,
  `Bearer ${canary}`,
  `authorization: Basic ${canary}=`,
  `sewa_s_${canary}${"a".repeat(20)}`,
  `GET /verify?a=b&token=${canary}&c=d`,
  `host=db user=u password=${canary} dbname=x`,
  `{"email":"a@b.test","password":"\\"${canary}"}`,
];

class Holder {
  readonly held: unknown;
  constructor(held: unknown) {
    this.held = held;
  }
}

/** An object with the canary somewhere in it: under any name of a secret, in a text, in what only its own code shows. */
export function plantedObjects(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const plain = fc.string({ maxLength: 8 }).filter((name) => name !== "toJSON" && name !== "__proto__");
  const secret = fc.constantFrom(...secretNames);
  const text = fc.constantFrom(...plantedTexts);
  const { node } = fc.letrec<{ node: Readonly<Record<string, unknown>>; item: unknown }>((tie) => ({
    item: fc.oneof(
      { maxDepth: 6 },
      text,
      text.map((told) => new URL(`https://app.test/?token=${encodeURIComponent(told)}`)),
      fc.constant(Buffer.from(canary)),
      text.map((told) => new Error(told)),
      fc.constant(Object.assign(new Error(canary), { query: canary, params: [canary] })),
      tie("node"),
      tie("node").map((inner) => new Error("outer", { cause: inner })),
      tie("node").map((inner) => Object.defineProperties(new Error("outer"), Object.getOwnPropertyDescriptors(inner))),
      tie("node").map((inner) => new Map([[canary, inner]])),
      tie("node").map((inner) => new Set([inner, canary])),
      tie("node").map((inner) => [inner, "text"]),
      tie("node").map((inner) => new Holder(inner)),
      tie("node").map((inner) => ({ toJSON: () => inner })),
    ),
    node: fc.oneof(
      { maxDepth: 6 },
      secret.map((name) => ({ [name]: canary })),
      secret.map((name) => ({ [name]: [{ deep: canary }] })),
      secret.map((name) => ({ [name]: Buffer.from(canary) })),
      secret.map((name) => Object.defineProperty({}, name, { enumerable: true, get: () => canary })),
      text.map((told) => ({ [told]: 1 })),
      plain.map(unreadable),
      fc.tuple(plain, tie("item")).map(([name, inner]) => ({ [name]: inner, other: 1 })),
      tie("node").map((inner) => ({ at: { toJSON: () => inner } })),
      fc.constant({ at: { toJSON: fail } }),
    ),
  }));
  return node;
}

/** As a report of a failure calls it, which may not read it either. */
function unreadable(name: string): Readonly<Record<string, unknown>> {
  return Object.defineProperties(
    {},
    { [name]: { enumerable: true, get: fail }, [fc.toStringMethod]: { value: () => `unreadable ${name}` } },
  );
}

function fail(): never {
  throw new Error(canary);
}
