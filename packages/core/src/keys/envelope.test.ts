import { dataKeys } from "@sewa/db/schema";
import { eq } from "drizzle-orm";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CoreContext, createContext, type Tx } from "../context.ts";
import { createKeyring, type Key, type Sealed } from "../keyring.ts";
import { givenCustomer } from "../testing/given.ts";
import { testCore } from "../testing/test-core.ts";
import { openSecret, rewrapKeys, rotateKeys, sealSecret } from "./index.ts";
import type { SealedPlace } from "./sealed-things.ts";

const runs = 1_000 * Number(process.env["PROPERTY_FACTOR"] ?? 1);
/** Secrets of one story, which one database and one pair of organizations live through. */
const perStory = 50;

const key = (id: string, byte: number): Key => ({ id, key: Buffer.alloc(32, byte) });
/** What is sealed is a credential of any length, in any script. */
const secret = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
  fc.constantFrom("", "\0", "a".repeat(10_000)),
);
const place = fc.record({
  table: fc.constantFrom("instance_secrets" as const, "payment_methods" as const),
  id: fc.uuid(),
});
const secrets = fc.array(
  fc.record({ text: secret, place, otherPlace: place, bit: fc.nat(2 ** 20), isTheirs: fc.boolean() }),
  { minLength: perStory, maxLength: perStory },
);

function withKeys(ctx: CoreContext, ...keys: readonly Key[]): CoreContext {
  const { actor, organizationId } = ctx;
  return createContext({ ...ctx, keyring: createKeyring(keys) }, { actor, organizationId });
}

/** What opening answers; null where it throws. */
async function tryOpen(tx: Tx, at: SealedPlace, sealed: Sealed): Promise<string | null> {
  return openSecret(tx, at, sealed).catch(() => null);
}

function flip(sealed: Sealed, bit: number): Sealed {
  const bytes = Buffer.from(sealed.sealed, "base64");
  const at = bit % (bytes.length * 8);
  bytes[at >> 3]! ^= 1 << (at & 7);
  return { ...sealed, sealed: bytes.toString("base64") };
}

test(`F21 what was sealed opens as it was, for its organization, at its place, with each bit of it, before and after a rotation; with the retired key nothing opens (${runs} runs)`, async () => {
  await using core = await testCore();
  const customers = [(await givenCustomer(core.ctx)).ctx, (await givenCustomer(core.ctx)).ctx] as const;
  let [retired, current] = [key("f0", 0), key("test", 7)];
  let rotations = 0;
  await fc.assert(
    fc.asyncProperty(secrets, async (story) => {
      const kept: { readonly isTheirs: boolean; readonly at: SealedPlace; readonly text: string; sealed: Sealed }[] =
        [];
      for (const { text, place: at, otherPlace, bit, isTheirs } of story) {
        const [owner, other] = isTheirs ? [customers[1], customers[0]] : customers;
        const isMoved = otherPlace.table !== at.table || otherPlace.id !== at.id;
        const sealed = await withKeys(owner, current).transaction(async (tx) => {
          const closed = await sealSecret(tx, at, text);
          expect(await tryOpen(tx, at, closed)).toBe(text);
          expect(await tryOpen(tx, at, flip(closed, bit))).toBeNull();
          expect(isMoved ? await tryOpen(tx, otherPlace, closed) : null).toBeNull();
          return closed;
        });
        await withKeys(other, current).transaction(async (tx) => {
          expect(await tryOpen(tx, at, sealed)).toBeNull();
          // As if it had been closed by the key of who tries.
          const { keyId } = await sealSecret(tx, at, "theirs");
          expect(await tryOpen(tx, at, { ...sealed, keyId })).toBeNull();
        });
        kept.push({ isTheirs, at, text, sealed });
      }
      rotations += 1;
      [retired, current] = [current, key(`f${rotations}`, rotations % 256)];
      const both = withKeys(core.ctx, current, retired);
      await rotateKeys(both);
      while ((await rewrapKeys(both)) !== null);
      for (const [index, ctx] of customers.entries()) {
        const own = kept.filter(({ isTheirs }) => isTheirs === (index === 1));
        const openAll = async (by: Key): Promise<readonly (string | null)[]> =>
          withKeys(ctx, by).transaction((tx) => Promise.all(own.map(({ at, sealed }) => tryOpen(tx, at, sealed))));
        expect(await openAll(current)).toEqual(own.map(({ text }) => text));
        expect(await openAll(retired)).toEqual(own.map(() => null));
      }
      // Nothing is left under the key that has gone.
      const rows = await core.database.drizzle.select().from(dataKeys);
      expect(rows.map(({ keyId }) => keyId)).toEqual(rows.map(() => current.id));
    }),
    { numRuns: Math.ceil(runs / perStory) },
  );
  expect(await core.database.drizzle.$count(dataKeys, eq(dataKeys.keyId, current.id))).toBe(2);
  // The test's own look at the audit has its first key alone: back to it.
  const back = withKeys(core.ctx, key("test", 7), current);
  await rotateKeys(back);
  while ((await rewrapKeys(back)) !== null);
}, 600_000);
