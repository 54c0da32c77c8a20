import { auditCheckpoints, auditEntries, houseHead, operatorAuditEntries, organizationHeads } from "@sewa/db/schema";
import { and, asc, type Column, eq, gt, isNull, type SQL, sql } from "drizzle-orm";
import type { CoreContext } from "../context.ts";
import { notFound } from "../errors.ts";

/** Whose chain: an organization's, or with null the house's. */
export type ChainOwner = string | null;

/** What a transaction of Drizzle's can read with. */
export type Reader = Pick<Parameters<Parameters<CoreContext["db"]["drizzle"]["transaction"]>[0]>[0], "select">;

export interface Head {
  readonly sequence: number;
  readonly chain: string;
}

/** A row of the chain, as it stands. The texts are what its digests are of, put together by the database. */
export interface Link {
  readonly id: string;
  readonly sequence: number;
  readonly digest: string;
  readonly chain: string;
  readonly said: string;
  readonly clientDigest: string;
  /** Null: erased, with nothing left. `broken`: the salt is gone and something is there. */
  readonly client: string | null;
  readonly detailsDigest: string;
  readonly details: string | null;
}

export const erasedInPart = "broken";

/** Throws NOT_FOUND for an organization that nobody has. */
export async function readHead(reader: Reader, owner: ChainOwner): Promise<Head> {
  const source = owner === null ? houseHead : organizationHeads;
  const [head] = await reader
    .select({ sequence: source.auditSequence, chain: source.auditChain })
    .from(source)
    .where(owner === null ? undefined : eq(organizationHeads.organizationId, owner));
  if (head === undefined) throw notFound("organization");
  return head;
}

/** Where the entries of a chain lie, and the condition that leaves them alone of all that lie there. */
export function entriesOf(owner: ChainOwner): {
  readonly source: typeof auditEntries | typeof operatorAuditEntries;
  readonly own: SQL | undefined;
} {
  return owner === null
    ? { source: operatorAuditEntries, own: undefined }
    : { source: auditEntries, own: eq(auditEntries.organizationId, owner) };
}

/** Oldest first, after `sequence`. */
export async function readLinks(
  reader: Reader,
  owner: ChainOwner,
  after: number,
  limit: number,
): Promise<readonly Link[]> {
  const { source, own } = entriesOf(owner);
  const { id, sequence, digest, chain, clientDigest, detailsDigest } = source;
  return reader
    .select({ id, sequence, digest, chain, clientDigest, detailsDigest, ...texts(owner) })
    .from(source)
    .where(and(own, gt(sequence, after)))
    .orderBy(asc(sequence))
    .limit(limit);
}

function texts(owner: ChainOwner) {
  const { source } = entriesOf(owner);
  const { clientSalt, clientAddress, userAgent, detailsSalt, before, after, reason } = source;
  const what = sql`${source.sequence}, ${source.id}, ${source.action}, ${source.actor}, ${source.subjectType},
    ${source.subjectId}, ${source.requestId}`;
  const when = sql`(extract(epoch from ${source.recordedAt}) * 1000)::bigint`;
  const digests = sql`${source.clientDigest}, ${source.detailsDigest}`;
  const { organizationId, occurredAt } = auditEntries;
  return {
    said:
      owner === null
        ? sql<string>`jsonb_build_array(${what}, ${when}, ${digests})::text`
        : sql<string>`jsonb_build_array(${organizationId}, ${what}, (extract(epoch from ${occurredAt}) * 1000)::bigint,
            ${when}, ${digests})::text`,
    client: part(clientSalt, sql`${clientAddress}, ${userAgent}`),
    details: part(detailsSalt, sql`${before}, ${after}, ${reason}`),
  };
}

function part(salt: Column, values: SQL) {
  return sql<string | null>`case when ${salt} is not null then jsonb_build_array(${salt}, ${values})::text
    when num_nonnulls(${values}) > 0 then ${erasedInPart} end`;
}

/** Which checkpoints are of the chain; those of the house's name no organization. */
export function ownedBy(owner: ChainOwner): SQL {
  const { organizationId } = auditCheckpoints;
  return owner === null ? isNull(organizationId) : eq(organizationId, owner);
}
