import type { CapacityVerdict } from "../capacity/index.ts";
import type { ChangeKind, ChangeShape } from "./change.ts";
import type { PlannedObject, Preview } from "./preview.ts";

/** What its owner has to know before approving, each with a sentence. */
export const changeWarnings = {
  RESTARTS: "The app is away for a moment while it restarts.",
  DATA_DELETED: "The data of the app is deleted and cannot be brought back.",
  VOLUME_CANNOT_SHRINK: "The storage keeps its size: volumes cannot become smaller.",
  VOLUME_CANNOT_GROW: "The storage keeps its size: the storage of this cluster cannot grow.",
  VOLUME_UNMOUNTED: "A volume is no longer used. It is kept until the app is removed.",
  NOTHING_REFUNDED: "Nothing is given back for the period that runs.",
  NEXT_PERIOD_REFUNDED: "What was paid for the next period is given back.",
  RENEWAL_REOPENED: "The open invoice for the next period is taken back and opened again at the new price.",
  NO_ROOM: "There is no room for this at the moment.",
} as const;
export type ChangeWarning = keyof typeof changeWarnings;

/** What a person is shown of a plan, and what its hash stands for. Stored as it is. */
export interface ChangeEffects {
  readonly objects: readonly PlannedObject[];
  readonly dataLost: readonly {
    readonly kind: "volume" | "secrets";
    readonly name: string;
    /** Null where size says nothing. */
    readonly sizeBytes: number | null;
  }[];
  readonly refusals: Preview["refusals"];
  readonly warnings: readonly ChangeWarning[];
  /** Whether the difference would fit when this was planned. */
  readonly capacity: CapacityVerdict;
  /** What is taken beside what is held, or given back: negative. */
  readonly room: { readonly cpuMillis: number; readonly memoryBytes: number; readonly storageBytes: number };
}

export interface EffectFacts {
  readonly kind: ChangeKind;
  readonly before: ChangeShape;
  readonly after: ChangeShape | null;
  readonly keepsStorage: boolean;
  /** What the plan that was asked for would grant; null where no plan was. */
  readonly plannedStorageBytes: number | null;
  readonly isCheaper: boolean;
  readonly hasOpenRenewal: boolean;
  readonly hasPaidRenewal: boolean;
  readonly isRunning: boolean;
  readonly capacity: CapacityVerdict;
}

/** Turns what a worker saw and what the database says into what its owner reads. Pure. */
export function deriveEffects(facts: EffectFacts, preview: Preview): ChangeEffects {
  const { objects, refusals } = preview;
  const volumes = preview.volumes.filter(({ fate }) => fate === "deleted");
  const secrets = objects.filter(({ kind, action }) => kind === "Secret" && action === "deleted");
  const dataLost = [
    ...volumes.map(({ name, sizeBytes }) => ({ kind: "volume" as const, name, sizeBytes })),
    ...secrets.map(({ name }) => ({ kind: "secrets" as const, name: name ?? "", sizeBytes: null })),
  ];
  return {
    objects,
    dataLost,
    refusals,
    warnings: deriveWarnings(facts, preview, dataLost.length > 0),
    capacity: facts.capacity,
    room: deriveRoomDifference(facts),
  };
}

function deriveRoomDifference({ before, after }: EffectFacts): ChangeEffects["room"] {
  const none = { cpuRequestMillis: 0, memoryRequestBytes: 0, storageBytes: 0 };
  const [was, is] = [before.limits, after?.limits ?? none];
  return {
    cpuMillis: is.cpuRequestMillis - was.cpuRequestMillis,
    memoryBytes: is.memoryRequestBytes - was.memoryRequestBytes,
    storageBytes: is.storageBytes - was.storageBytes,
  };
}

function deriveWarnings(facts: EffectFacts, preview: Preview, losesData: boolean): readonly ChangeWarning[] {
  const { before, plannedStorageBytes } = facts;
  const holds: Readonly<Record<ChangeWarning, boolean>> = {
    RESTARTS: facts.isRunning && facts.after !== null && preview.objects.some(({ isRestarting }) => isRestarting),
    DATA_DELETED: losesData,
    VOLUME_CANNOT_SHRINK: plannedStorageBytes !== null && plannedStorageBytes < before.limits.storageBytes,
    VOLUME_CANNOT_GROW: facts.keepsStorage,
    VOLUME_UNMOUNTED: preview.volumes.some(({ fate }) => fate === "unmounted"),
    NOTHING_REFUNDED: facts.isCheaper,
    NEXT_PERIOD_REFUNDED: facts.after === null && facts.hasPaidRenewal,
    RENEWAL_REOPENED: facts.hasOpenRenewal,
    NO_ROOM: !facts.capacity.fits,
  };
  return (Object.keys(changeWarnings) as ChangeWarning[]).filter((code) => holds[code]);
}
