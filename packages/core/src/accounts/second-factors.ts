import { recoveryCodes, secondFactors } from "@sewa/db/schema";
import { and, eq, isNotNull, isNull, lt } from "drizzle-orm";
import type { Tx } from "../context.ts";
import { DomainError } from "../errors.ts";
import { record } from "../events/index.ts";
import { secondFactorContext } from "../keys/index.ts";
import type { Sealed } from "../keyring.ts";
import { counterOf, hashRecoveryCode, newRecoveryCodes, readTotpCode } from "./totp.ts";

/** The second factor of a user, as it is stored. Under the lock of the user's row. */
export interface SecondFactor extends Sealed {
  readonly userId: string;
  /** Null until the first code was seen: until then it is not asked for. */
  readonly enabledAt: Date | null;
}

export async function findSecondFactor(tx: Tx, userId: string): Promise<SecondFactor | null> {
  const [factor] = await tx.sql
    .select({
      userId: secondFactors.userId,
      keyId: secondFactors.keyId,
      sealed: secondFactors.sealed,
      enabledAt: secondFactors.enabledAt,
    })
    .from(secondFactors)
    .where(eq(secondFactors.userId, userId));
  return factor ?? null;
}

/** The one that log-in asks for. */
export async function findEnabledFactor(tx: Tx, userId: string): Promise<SecondFactor | null> {
  const factor = await findSecondFactor(tx, userId);
  return factor?.enabledAt == null ? null : factor;
}

/** Throws CONFLICT where it is off. */
export async function getEnabledFactor(tx: Tx, userId: string): Promise<SecondFactor> {
  const factor = await findEnabledFactor(tx, userId);
  if (factor === null) throw new DomainError("CONFLICT", "The second factor is not switched on.");
  return factor;
}

/** In the place of one that was begun and never switched on. False, and nothing is stored, where one is switched on. */
export async function storeSecret(tx: Tx, userId: string, secret: string): Promise<boolean> {
  const sealed = tx.ctx.keyring.seal(secret, secondFactorContext(userId));
  const [stored] = await tx.sql
    .insert(secondFactors)
    .values({ userId, ...sealed })
    .onConflictDoUpdate({ target: secondFactors.userId, set: sealed, setWhere: isNull(secondFactors.enabledAt) })
    .returning({ userId: secondFactors.userId });
  return stored !== undefined;
}

export function counterOfFactor(tx: Tx, factor: SecondFactor, code: string): number | null {
  const digits = readTotpCode(code);
  if (digits === null) return null;
  return counterOf(tx.ctx.keyring.open(factor, secondFactorContext(factor.userId)), digits, tx.ctx.clock.now());
}

/**
 * Takes a code of the app or a recovery code, each once: of two who come with the same one, the second is refused, and so is a
 * code that is older than the last. Rolls back with the transaction. False when it is wrong.
 */
export async function spendCode(tx: Tx, factor: SecondFactor, code: string): Promise<boolean> {
  if (readTotpCode(code) === null) return spendRecoveryCode(tx, factor.userId, code);
  const counter = counterOfFactor(tx, factor, code);
  if (counter === null) return false;
  const [spent] = await tx.sql
    .update(secondFactors)
    .set({ lastCounter: counter })
    .where(
      and(
        eq(secondFactors.userId, factor.userId),
        isNotNull(secondFactors.enabledAt),
        lt(secondFactors.lastCounter, counter),
      ),
    )
    .returning({ userId: secondFactors.userId });
  return spent !== undefined;
}

/** The former ones are worth nothing any more. Answers the new ones, which nobody can be told again. */
export async function replaceRecoveryCodes(tx: Tx, userId: string): Promise<readonly string[]> {
  const codes = newRecoveryCodes();
  await tx.sql.delete(recoveryCodes).where(eq(recoveryCodes.userId, userId));
  await tx.sql.insert(recoveryCodes).values(codes.map((code) => ({ userId, hash: hashRecoveryCode(code) })));
  return codes;
}

export async function countRecoveryCodes(tx: Tx, userId: string): Promise<number> {
  return tx.sql.$count(recoveryCodes, and(eq(recoveryCodes.userId, userId), isNull(recoveryCodes.usedAt)));
}

export function wrongCode(): DomainError {
  const message = "The code is wrong or was used already.";
  return new DomainError("INVALID_CREDENTIALS", message, { issues: [{ path: "code", message }] });
}

async function spendRecoveryCode(tx: Tx, userId: string, code: string): Promise<boolean> {
  const [spent] = await tx.sql
    .update(recoveryCodes)
    .set({ usedAt: tx.ctx.clock.now() })
    .where(
      and(
        eq(recoveryCodes.userId, userId),
        eq(recoveryCodes.hash, hashRecoveryCode(code)),
        isNull(recoveryCodes.usedAt),
      ),
    )
    .returning({ userId: recoveryCodes.userId });
  if (spent === undefined) return false;
  record(tx, { type: "user.recoveryCodeUsed", subject: { type: "user", id: userId } });
  return true;
}
