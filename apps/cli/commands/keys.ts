import { countKeys, findLastRotation, type KeyRotationRow, type KeyUse, rotateKeys } from "@sewa/core";
import type { Command } from "commander";
import { exitCodes } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatTime, type JsonOption, leaf, show, table } from "../output.ts";

/** What closes the secrets: ids and counts, never a key. */
export function addKeyCommands(program: Command): void {
  const group = program.command("keys").description("the keys that close secrets");
  leaf(group, "status", "how much still needs which key of the keyring, and how far the last rotation came").action(
    status,
  );
  leaf(group, "rotate", "have the workers close everything with the first key of SECRETS_KEYRING").action(rotate);
}

interface KeyRow extends KeyUse {
  /** Place in this process's keyring, from 1; null: it lacks the key. */
  readonly place: number | null;
}

async function status(options: JsonOption): Promise<void> {
  const { keys, rotation } = await withCore(async (ctx, { SECRETS_KEYRING: keyring }) => {
    const used = await countKeys(ctx);
    const ids = keyring?.ids ?? [];
    const unused = ids.filter((id) => used.every(({ keyId }) => keyId !== id));
    const rows = [...used, ...unused.map((keyId) => ({ keyId, dataKeys: 0, secrets: 0, signatures: 0 }))];
    return {
      keys: rows.map((row) => ({ ...row, place: placeOf(row.keyId, ids) })),
      rotation: await findLastRotation(ctx),
    };
  });
  show(options, { keys, rotation }, () => [table(keys.map(toRow), "No keys."), describe(rotation)].join("\n"));
  if (keys.some(({ place }) => place === null)) process.exitCode = exitCodes.findings;
}

function placeOf(keyId: string, ids: readonly string[]): number | null {
  const index = ids.indexOf(keyId);
  return index === -1 ? null : index + 1;
}

async function rotate(options: JsonOption): Promise<void> {
  const rotation = await withCore((ctx) => rotateKeys(ctx));
  show(
    options,
    rotation,
    () => `The workers close everything with the key ${rotation.target}. sewa keys status says how far they are.`,
  );
}

function toRow({ keyId, place, dataKeys, secrets, signatures }: KeyRow): Readonly<Record<string, unknown>> {
  const known = place === null ? "missing" : place === 1 ? "first" : "yes";
  return { key: keyId, "in the keyring": known, organizations: dataKeys, "older secrets": secrets, signatures };
}

function describe(rotation: KeyRotationRow | null): string {
  if (rotation === null) return "Nobody has asked for a rotation yet.";
  const { target, requestedAt, rewrapped, finishedAt } = rotation;
  const end = finishedAt === null ? "has not ended" : `ended at ${formatTime(finishedAt)}`;
  return `The rotation to ${target} of ${formatTime(requestedAt)} ${end}: ${rewrapped} row(s).`;
}
