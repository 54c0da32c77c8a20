import { type ObjectRef, runningKinds } from "@sewa/core";
import { Conflict, NotFound } from "../errors.ts";
import type { LiveList, LiveObject } from "../observe/wire.ts";
import { isOurs } from "../observe/owner.ts";
import { labelKeys, manager } from "../render/names.ts";
import type { ApplyContext } from "./apply.ts";
import { collectionPath, isKind, objectPath, type Kind } from "./resources.ts";

type EraseContext = Pick<ApplyContext, "connection" | "effect" | "signal"> & { readonly houseId: string };
type UniqueObject = LiveObject & { readonly metadata: { readonly uid?: string } };

/**
 * Asks for the deletion of exactly the object that was looked at: of its uid, and while it is ours. Answers whether
 * it was there to be deleted.
 */
export async function eraseObject(context: EraseContext, object: ObjectRef): Promise<boolean> {
  const { kind, name, namespace, uid } = object;
  if (!isKind(kind) || !(kind === "Namespace" || runningKinds.has(kind))) {
    throw new Error(`Broken invariant: a ${kind} is never deleted.`);
  }
  const path = objectPath(kind, name, namespace ?? undefined);
  const live = await find(context, path);
  if (live === null || live.metadata.uid !== uid || !isOurs(live, context.houseId)) return false;
  if (live.metadata.deletionTimestamp !== undefined) return false;
  return remove(context, kind, path, live);
}

/**
 * Deletes what runs or answers in a namespace of ours and leaves the rest: its volumes, and what keeps others out. Answers how
 * much that was.
 */
export async function eraseRunning(context: EraseContext, namespace: ObjectRef): Promise<number> {
  const own = await find(context, objectPath("Namespace", namespace.name));
  if (own === null || own.metadata.uid !== namespace.uid || !isOurs(own, context.houseId)) return 0;
  let erased = 0;
  for (const kind of [...runningKinds].filter(isKind)) {
    const answer: LiveList<UniqueObject> = await context.connection.json({
      method: "GET",
      path: collectionPath(kind, namespace.name),
      query: { labelSelector: `${labelKeys.managedBy}=${manager}` },
      what: `list ${kind}`,
      signal: context.signal,
    });
    for (const live of answer.items) {
      context.signal?.throwIfAborted();
      if (live.metadata.deletionTimestamp !== undefined || !isOurs(live, context.houseId)) continue;
      if (await remove(context, kind, objectPath(kind, live.metadata.name, namespace.name), live)) erased += 1;
    }
  }
  return erased;
}

async function remove(context: EraseContext, kind: Kind, path: string, live: UniqueObject): Promise<boolean> {
  const body = {
    kind: "DeleteOptions",
    apiVersion: "v1",
    propagationPolicy: kind === "Namespace" ? "Foreground" : "Background",
    preconditions: { uid: live.metadata.uid },
  };
  try {
    await context.effect(`delete:${kind}`, () =>
      context.connection.json({ method: "DELETE", path, body, what: `delete ${kind}`, signal: context.signal }),
    );
    return true;
  } catch (error) {
    // Somebody else was faster, or has made another one in its place, which nobody has looked at yet.
    if (error instanceof NotFound || error instanceof Conflict) return false;
    throw error;
  }
}

async function find({ connection, signal }: EraseContext, path: string): Promise<UniqueObject | null> {
  try {
    return await connection.json<UniqueObject>({ method: "GET", path, what: "get", signal });
  } catch (error) {
    if (error instanceof NotFound) return null;
    throw error;
  }
}
