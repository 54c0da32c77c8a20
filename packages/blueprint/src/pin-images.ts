import { isScalar, parseDocument, visit } from "yaml";
import { imagesOf } from "./images-of.ts";
import type { Blueprint } from "./parse-blueprint.ts";

/** The images that a blueprint names without a digest, each once: what the same name means may change. */
export function listUnpinnedImages({ definition }: Blueprint): readonly string[] {
  const images = imagesOf(definition).map(({ image }) => image);
  return [...new Set(images)].filter((image) => !image.includes("@sha256:"));
}

/**
 * The text of a blueprint with the digest behind each image that `digests` knows (`sha256:…`, by the image as it is
 * written); comments and layout stay. The tag stays too, for people.
 */
export function pinImages(text: string, digests: ReadonlyMap<string, string>): string {
  const places: { readonly start: number; readonly end: number; readonly image: string }[] = [];
  visit(parseDocument(text), {
    Pair(_, { key, value }) {
      if (!isScalar(key) || key.value !== "image" || !isScalar(value) || !value.range) return;
      const image = String(value.value);
      if (digests.has(image)) places.push({ start: value.range[0], end: value.range[1], image });
    },
  });
  return places.reduceRight(
    (pinned, { start, end, image }) =>
      `${pinned.slice(0, start)}${pinned.slice(start, end).replace(image, `${image}@${digests.get(image)}`)}${pinned.slice(end)}`,
    text,
  );
}
