import type { CoreContext } from "../context.ts";
import { sha256Hex } from "../ids.ts";
import type { Keyring } from "../keyring.ts";
import { authorize } from "../permissions.ts";
import { type ChainOwner, erasedInPart, type Head, type Link, readHead, readLinks, type Reader } from "./chain.ts";
import { type CheckpointRow, findCheckpoint, isGenuine } from "./checkpoint.ts";

/** The first thing that is wrong with a chain. */
export interface AuditFault {
  /** Null: the house's chain. */
  readonly organizationId: string | null;
  readonly subject: { readonly type: "entry" | "head" | "checkpoint"; readonly id: string };
  readonly message: string;
}

export interface VerifiedAudit {
  /** How many entries were looked at. */
  readonly entries: number;
  /** As far as all of it holds. */
  readonly head: Head;
  readonly fault: AuditFault | null;
}

const pageSize = 500;

/**
 * Recomputes every digest and every link of one chain from its rows, in one picture of the database, and holds them against
 * what was signed. From where the chain starts; `sinceLast`: from where the last look ended.
 */
export async function verifyAudit(
  ctx: CoreContext,
  owner: ChainOwner,
  { sinceLast = false }: { readonly sinceLast?: boolean } = {},
): Promise<VerifiedAudit> {
  authorize(ctx.actor, "admin.audit.verify");
  const bound = owner === null ? ctx : ctx.forOrganization(owner);
  return bound.picture((reader) => verify(reader, { owner, keyring: ctx.keyring, sinceLast }));
}

interface Question {
  readonly owner: ChainOwner;
  readonly keyring: Keyring;
  readonly sinceLast: boolean;
}

async function verify(reader: Reader, { owner, keyring, sinceLast }: Question): Promise<VerifiedAudit> {
  const [start, latest] = [await findCheckpoint(reader, owner, "start"), await findCheckpoint(reader, owner, "latest")];
  const forged = [start, latest].find((row) => row !== null && !isGenuine(keyring, row)) ?? null;
  let head = laterOf(toHead(start), sinceLast ? toHead(latest) : none);
  let entries = 0;
  const fault = (type: AuditFault["subject"]["type"], id: string, message: string): VerifiedAudit => ({
    entries,
    head,
    fault: { organizationId: owner, subject: { type, id }, message },
  });
  if (forged !== null) return fault("checkpoint", forged.id, "It was not signed by us, or was changed since.");
  for (;;) {
    const page = await readLinks(reader, owner, head.sequence, pageSize);
    for (const link of page) {
      const message = wrongWith(link, head, latest);
      if (message !== null) return fault("entry", link.id, message);
      head = { sequence: link.sequence, chain: link.chain };
      entries += 1;
    }
    if (page.length < pageSize) break;
  }
  const said = await readHead(reader, owner);
  if (said.sequence !== head.sequence || said.chain !== head.chain)
    return fault("head", owner ?? "house", `The head names entry ${said.sequence}, the last one is ${head.sequence}.`);
  if (latest !== null && latest.sequence > head.sequence)
    return fault("checkpoint", latest.id, `Entry ${latest.sequence} was signed, the last one is ${head.sequence}.`);
  return { entries, head, fault: null };
}

const none: Head = { sequence: 0, chain: "" };

function toHead(row: CheckpointRow | null): Head {
  return row === null ? none : { sequence: row.sequence, chain: row.chain };
}

function laterOf(a: Head, b: Head): Head {
  return a.sequence >= b.sequence ? a : b;
}

function wrongWith(link: Link, before: Head, latest: CheckpointRow | null): string | null {
  if (link.sequence !== before.sequence + 1) return `Number ${before.sequence + 1} is missing before it.`;
  const parts = [
    { text: link.client, digest: link.clientDigest },
    { text: link.details, digest: link.detailsDigest },
  ];
  if (parts.some(({ text, digest }) => text !== null && (text === erasedInPart || sha256Hex(text) !== digest)))
    return "Its details are not what was written.";
  if (sha256Hex(link.said) !== link.digest) return "It is not what was written.";
  if (sha256Hex(before.chain + link.digest) !== link.chain) return "The chain is broken here.";
  if (latest?.sequence === link.sequence && latest.chain !== link.chain)
    return "The chain was written anew: up to here another one was signed.";
  return null;
}
