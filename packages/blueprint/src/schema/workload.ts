import { z } from "zod";
import { limits } from "../limits.ts";
import { absolutePath, identifier, refusal, scalar, shortLabel, template, text } from "./fields.ts";
import { isImageReference } from "./image.ts";

/** The one resource type that is provisioned today. */
export const workloadType = "kubernetes-workload";

const portName = z
  .string()
  .max(15)
  .regex(/^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9]))*$/, "Use a-z, 0-9 and -.")
  .refine((name) => /[a-z]/.test(name), "A port name needs a letter.");

const image = z
  .string()
  .refine(isImageReference, refusal("IMAGE", "Write an image such as registry.example/name:1.2.3@sha256:…"));

const environmentValue = z.union(
  [scalar, z.strictObject({ secret: identifier })],
  "Write a text, a number, true or false, or { secret: name }.",
);

const environment = z
  .record(
    z.string().regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/, "Not a name for an environment variable."),
    environmentValue,
  )
  .refine(
    (variables) => Object.keys(variables).length <= limits.environmentVariables,
    `At most ${limits.environmentVariables} variables.`,
  )
  .default({});

const command = z.array(template(limits.resultCharacters)).max(50);

const userId = z
  .int()
  .max(2_147_483_647)
  .refine((id) => id >= 1, refusal("POD_SECURITY", "Not allowed under the restricted profile: nothing runs as root."));

const security = z.strictObject({
  runAsUser: userId,
  runAsGroup: userId.optional(),
  fsGroup: userId.optional(),
  readOnlyRootFilesystem: z.boolean().default(true),
});

const probeTiming = {
  initialDelaySeconds: z.int().min(0).max(600).optional(),
  periodSeconds: z.int().min(1).max(300).default(10),
  timeoutSeconds: z.int().min(1).max(60).default(5),
  failureThreshold: z.int().min(1).max(120).default(3),
};

const probe = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("http"),
    path: template(500).refine((path) => path.startsWith("/"), "Begin the path with /."),
    port: portName,
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/), template(1_000)).optional(),
    ...probeTiming,
  }),
  z.strictObject({ type: z.literal("tcp"), port: portName, ...probeTiming }),
  z.strictObject({ type: z.literal("exec"), command: command.min(1), ...probeTiming }),
]);

const fraction = z.number().gt(0, "Write a share above 0.").max(1, "Write a share of at most 1.");

const healthCheck = z.strictObject({
  name: text(100),
  type: z.literal("http"),
  /** Absolute; must lead to the instance's own address. */
  url: template(1_000),
});

const mapping = z.strictObject({
  value: template(limits.expressionCharacters),
  map: z.record(z.string(), scalar),
});

/** What every resource may have, whoever provisions it. */
const resourceFields = {
  name: text(200).optional(),
  healthChecks: z.array(healthCheck).max(10).default([]),
  mappings: z.record(identifier, mapping).default({}),
};

/** Long-running containers of one image, with a Service named after `id`. */
export const workloadSchema = z.strictObject({
  ...resourceFields,
  id: shortLabel,
  type: z.literal(workloadType),
  kind: z.enum(["Deployment", "StatefulSet"]).default("Deployment"),
  image,
  command: command.optional(),
  args: command.optional(),
  ports: z
    .array(
      z.strictObject({
        name: portName,
        port: z.int("Write a whole port number.").min(1, "Ports begin at 1.").max(65_535, "Ports end at 65535."),
      }),
    )
    .max(limits.ports)
    .default([]),
  env: environment,
  volumes: z
    .array(z.strictObject({ name: shortLabel, mountPath: absolutePath, share: fraction.default(1) }))
    .max(limits.volumes)
    .default([]),
  scratchPaths: z.array(absolutePath).max(20).default([]),
  files: z
    .array(
      z.strictObject({
        path: absolutePath,
        content: z.string().max(limits.resultCharacters),
        /** Only then are `${…}` in the content expressions: scripts have their own dollars. */
        template: z.boolean().default(false),
      }),
    )
    .max(limits.files)
    .default([]),
  probes: z
    .strictObject({ startup: probe.optional(), readiness: probe.optional(), liveness: probe.optional() })
    .default({}),
  /** Fractions of what the plan grants. */
  share: z.strictObject({ cpu: fraction.default(1), memory: fraction.default(1) }).default({ cpu: 1, memory: 1 }),
  security,
});

/** A resource for another driver. It is read, so that a definition can move here, but it cannot be provisioned. */
export const foreignResourceSchema = z.strictObject({
  ...resourceFields,
  id: z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, "Use a letter, then letters, digits, _ and -."),
  type: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "Not a resource type."),
  parameters: z.record(z.string(), scalar).default({}),
});

export const claimSchema = z.strictObject({
  /** The exposed workload's image when left out. */
  image: image.optional(),
  command: command.optional(),
  args: command.optional(),
  env: environment,
  timeoutSeconds: z.int().min(10).max(1_800).default(120),
  /** The exposed workload's when left out. */
  security: security.optional(),
});

export type WorkloadDefinition = z.output<typeof workloadSchema>;
export type ForeignResource = z.output<typeof foreignResourceSchema>;
export type ResourceDefinition = WorkloadDefinition | ForeignResource;
export type ClaimDefinition = z.output<typeof claimSchema>;
export type ProbeDefinition = z.output<typeof probe>;
export type SecurityDefinition = z.output<typeof security>;
export type EnvironmentDefinition = z.output<typeof environment>;

/** Whether we can provision it. The type tag alone decides, because both shapes were checked when they were read. */
export function isWorkload(resource: ResourceDefinition): resource is WorkloadDefinition {
  return resource.type === workloadType;
}
