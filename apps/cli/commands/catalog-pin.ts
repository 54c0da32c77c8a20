import { writeFile } from "node:fs/promises";
import type { Outgoing } from "@sewa/core";
import { listUnpinnedImages, pinImages } from "@sewa/blueprint";
import { readOutgoingEnv } from "../env.ts";
import { exitCodes } from "../failure.ts";
import { type JsonOption, show, table } from "../output.ts";
import { registryCalls, resolveDigest } from "../registry.ts";
import { readBlueprint, readText } from "./blueprint-input.ts";

interface Pinned {
  readonly file: string;
  readonly image: string;
  readonly digest: string | null;
  /** Why there is no digest; null when there is one. */
  readonly problem: string | null;
}

/**
 * Writes the digest behind each image of blueprint files that has none, where its registry answers. What has one already
 * is left alone: a newer image is another version of the blueprint, and somebody's decision.
 */
export async function pinFiles(
  files: readonly string[],
  options: JsonOption & { readonly dryRun?: boolean },
): Promise<void> {
  const isDryRun = options.dryRun === true;
  const outgoing = registryCalls(readOutgoingEnv().OUTGOING_ALLOWED_RANGES);
  const pinned: Pinned[] = [];
  for (const file of files) {
    const found = await Promise.all(
      listUnpinnedImages(await readBlueprint(file)).map((image) => pinOne(file, image, outgoing)),
    );
    pinned.push(...found);
    const digests = new Map(found.flatMap(({ image, digest }) => (digest === null ? [] : [[image, digest] as const])));
    if (digests.size > 0 && !isDryRun) await writeFile(file, pinImages(await readText(file), digests));
  }
  show(options, { dryRun: isDryRun, images: pinned }, () =>
    table(
      pinned.map(({ file, image, digest, problem }) => ({ file, image, digest: digest ?? `- (${problem ?? ""})` })),
      "Every image has a digest already.",
    ),
  );
  if (pinned.some(({ digest }) => digest === null)) process.exitCode = exitCodes.refused;
}

async function pinOne(file: string, image: string, outgoing: Outgoing): Promise<Pinned> {
  try {
    return { file, image, digest: await resolveDigest(image, outgoing), problem: null };
  } catch (error) {
    return { file, image, digest: null, problem: error instanceof Error ? error.message : String(error) };
  }
}
