import type { Finding } from "./finding.ts";
import { imagesOf } from "../images-of.ts";
import { floatingReason } from "../schema/image.ts";
import { isWorkload, workloadType } from "../schema/workload.ts";
import type { BlueprintDefinition } from "../schema/definition.ts";

/**
 * Whether there is something to run, reachable, that always is the same software, and that we may rent out. `agreement`
 * is the operator's reference to what the vendor agreed to; null where there is none.
 */
export function checkOffering(definition: BlueprintDefinition, agreement: string | null): Finding[] {
  const workloads = definition.resources.filter(isWorkload);
  if (definition.resources.length === 0)
    return [{ code: "NOTHING_TO_RUN", level: "tolerable", path: ["resources"], message: "There is nothing to run." }];
  return [
    ...checkDrivers(definition),
    ...checkImages(definition),
    ...(workloads.length === 0 ? [] : [...checkExposed(definition), ...checkLicense(definition, agreement)]),
  ];
}

function checkDrivers(definition: BlueprintDefinition): Finding[] {
  return definition.resources.flatMap((resource, index): Finding[] => {
    if (isWorkload(resource)) return [];
    const message = `There is no driver for ${resource.type}; only ${workloadType} can be provisioned.`;
    return [{ code: "NO_DRIVER", level: "tolerable", path: ["resources", index, "type"], message }];
  });
}

function checkImages(definition: BlueprintDefinition): Finding[] {
  return imagesOf(definition).flatMap(({ image, path }): Finding[] => {
    const reason = floatingReason(image);
    if (reason === null) return [];
    return [{ code: "IMAGE", level: "tolerable", path, message: `Pin the image by digest or exact tag: ${reason}.` }];
  });
}

function checkExposed(definition: BlueprintDefinition): Finding[] {
  const { exposed } = definition;
  if (exposed === undefined) {
    const message = "Say with exposed which workload and port the address leads to.";
    return [{ code: "NOT_EXPOSED", level: "tolerable", path: ["exposed"], message }];
  }
  const workload = definition.resources.filter(isWorkload).find(({ id }) => id === exposed.workload);
  const unknown = (field: "workload" | "port", message: string): Finding[] => [
    { code: "UNKNOWN_NAME", level: "error", path: ["exposed", field], message },
  ];
  if (workload === undefined) return unknown("workload", `There is no workload ${exposed.workload}.`);
  if (!workload.ports.some(({ name }) => name === exposed.port))
    return unknown("port", `${workload.id} has no port ${exposed.port}.`);
  return [];
}

function checkLicense(definition: BlueprintDefinition, agreement: string | null): Finding[] {
  const { license } = definition;
  const path = ["license"];
  if (license === undefined)
    return [
      { code: "LICENSE", level: "tolerable", path, message: "Name the licence and whether it allows paid hosting." },
    ];
  switch (license.commercialHosting) {
    case "allowed":
      return [];
    case "conditional":
      return [{ code: "LICENSE", level: "note", path, message: `${license.name} sets conditions for paid hosting.` }];
    case "needs-agreement": {
      if (agreement !== null) return [];
      const message = `${license.name} does not allow paid hosting without an agreement with the vendor; name yours in the catalog.`;
      return [{ code: "AGREEMENT_REQUIRED", level: "tolerable", path: [...path, "commercialHosting"], message }];
    }
  }
}
