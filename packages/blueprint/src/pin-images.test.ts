import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkBlueprint } from "./check-blueprint.ts";
import { parseBlueprint } from "./parse-blueprint.ts";
import { listUnpinnedImages, pinImages } from "./pin-images.ts";

const shipped = readFileSync(new URL("../catalog/uptime-kuma.yaml", import.meta.url), "utf8");
const digest = `sha256:${"a".repeat(64)}`;

test("pinning adds the digest behind each known image and changes nothing else, comments included", () => {
  const [image = ""] = listUnpinnedImages(parseBlueprint(shipped));
  const pinned = pinImages(shipped, new Map([[image, digest]]));
  expect(pinned.replaceAll(`@${digest}`, "")).toBe(shipped);
  const blueprint = parseBlueprint(pinned);
  expect(listUnpinnedImages(blueprint)).toEqual([]);
  expect(checkBlueprint(blueprint, "publish").filter(({ severity }) => severity === "error")).toEqual([]);
});

test("an image that nobody knows and one inside another word stay as they are", () => {
  const text = `# image: a/b:1.0.0\nimage: "a/b:1.0.0" # ours\nother: a/b:1.0.0\nlist: [{ image: c/d:1.0.0 }]\n`;
  expect(pinImages(text, new Map([["a/b:1.0.0", digest]]))).toBe(
    `# image: a/b:1.0.0\nimage: "a/b:1.0.0@${digest}" # ours\nother: a/b:1.0.0\nlist: [{ image: c/d:1.0.0 }]\n`,
  );
});
