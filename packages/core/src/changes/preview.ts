/** What one look at the cluster says about a change: the difference between what is there and what would be. Facts only. */
export interface Preview {
  /** Hash of everything of the app that stands in the cluster now. Another one means that somebody changed something. */
  readonly worldHash: string;
  /** Objects that would come, change or go; those that stay as they are are left out. */
  readonly objects: readonly PlannedObject[];
  /** Volumes that would go, or be kept without being used. */
  readonly volumes: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly fate: "deleted" | "unmounted";
  }[];
  /** What the cluster would not accept. */
  readonly refusals: readonly {
    readonly kind: string;
    readonly name: string;
    readonly reason: "VOLUME_CANNOT_GROW" | "OBJECT_REFUSED";
  }[];
}

export interface PlannedObject {
  readonly kind: string;
  /** Null for the namespace, which is named after the instance. */
  readonly name: string | null;
  readonly action: "created" | "changed" | "deleted";
  /** Paths that would get another value, without any values. Empty unless `changed`. */
  readonly fields: readonly string[];
  /** Its pods would be replaced. */
  readonly isRestarting: boolean;
}
