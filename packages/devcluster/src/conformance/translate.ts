import { isRecord, recordOf, stringOf, type JsonRecord } from "../kube/json.ts";

/**
 * Names, uids and versions that two runs of one scenario do not share. They are learned by laying a recorded answer beside
 * ours, and put into the requests that follow.
 */
export class Translation {
  readonly #identities = new Map<string, string>();
  readonly #versions = new Map<string, string>();

  learn(recorded: unknown, ours: unknown): void {
    if (Array.isArray(recorded) && Array.isArray(ours)) {
      for (const [index, item] of recorded.entries()) this.learn(item, ours[index]);
      return;
    }
    if (!isRecord(recorded) || !isRecord(ours)) return;
    const [theirs, mine] = [recordOf(recorded["metadata"]), recordOf(ours["metadata"])];
    const isSameName = theirs["name"] === mine["name"] || isGenerated(theirs);
    if (isSameName) this.#learnMetadata(theirs, mine);
    const [details, ownDetails] = [recordOf(recorded["details"]), recordOf(ours["details"])];
    this.#pair(details["uid"], ownDetails["uid"]);
    const [spec, ownSpec] = [recordOf(recorded["spec"]), recordOf(ours["spec"])];
    for (const member of ["clusterIP", "volumeName"]) this.#pair(spec[member], ownSpec[member]);
    this.learn(recorded["items"], ours["items"]);
  }

  #learnMetadata(theirs: JsonRecord, mine: JsonRecord): void {
    this.#pair(theirs["uid"], mine["uid"]);
    this.#pair(theirs["name"], mine["name"]);
    this.#pair(theirs["continue"], mine["continue"]);
    const [version, own] = [stringOf(theirs["resourceVersion"]), stringOf(mine["resourceVersion"])];
    if (version !== "" && own !== "") this.#versions.set(version, own);
  }

  #pair(theirs: unknown, mine: unknown): void {
    if (typeof theirs === "string" && typeof mine === "string" && theirs !== mine) this.#identities.set(theirs, mine);
  }

  text(value: string): string {
    const exact = this.#identities.get(value);
    if (exact !== undefined) return exact;
    return value
      .split(/([/=,])/)
      .map((part) => this.#identities.get(part) ?? part)
      .join("");
  }

  version(value: string): string {
    return this.#versions.get(value) ?? value;
  }

  value(value: unknown, member = ""): unknown {
    if (typeof value === "string") return member === "resourceVersion" ? this.version(value) : this.text(value);
    if (Array.isArray(value)) return value.map((item: unknown) => this.value(item, member));
    if (!isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.value(item, key)]));
  }
}

function isGenerated(metadata: JsonRecord): boolean {
  const name = stringOf(metadata["name"]);
  return typeof metadata["generateName"] === "string" || /-[bcdfghjklmnpqrstvwxz2456789]{5,10}$/.test(name);
}
