import type { Path } from "./position.ts";
import type { BlueprintDefinition } from "./schema/definition.ts";
import { isWorkload } from "./schema/workload.ts";

/** Every image that a definition names, and where. */
export function imagesOf(definition: BlueprintDefinition): readonly { readonly image: string; readonly path: Path }[] {
  const { resources, claim } = definition;
  const images = resources.flatMap((resource, index) =>
    isWorkload(resource) ? [{ image: resource.image, path: ["resources", index, "image"] }] : [],
  );
  return claim?.image === undefined ? images : [...images, { image: claim.image, path: ["claim", "image"] }];
}
