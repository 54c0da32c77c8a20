/**
 * `[registry/]name[:tag][@sha256:digest]`. The first part is a registry when it has a dot or a port, as container
 * runtimes read it.
 */
const imagePattern =
  /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;
const floatingWords =
  /^(?:latest|main|master|nightly|edge|stable|beta|alpha|dev|develop|next|lts|release|production|current)(?:[.-]|$)/i;
/** `2` and `2-slim` move with every release of that major version. */
const majorOnly = /^v?\d{1,3}(?:-[a-z][a-z0-9-]*)?$/i;

export function isImageReference(image: string): boolean {
  return image.length <= 300 && imagePattern.test(image);
}

/** Why the same reference may mean another image tomorrow; null when it is pinned by digest or by an exact tag. */
export function floatingReason(image: string): string | null {
  if (image.includes("@sha256:")) return null;
  const name = image.slice(image.lastIndexOf("/") + 1);
  const colon = name.indexOf(":");
  if (colon === -1) return "it has no tag";
  const tag = name.slice(colon + 1);
  if (floatingWords.test(tag) || majorOnly.test(tag)) return `the tag ${tag} moves`;
  return null;
}
