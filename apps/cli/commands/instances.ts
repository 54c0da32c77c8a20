import { randomUUID } from "node:crypto";
import type { InstanceDto, OperationDto } from "@sewa/api";
import type { Command } from "commander";
import { listAll, type Session, withApi } from "../client.ts";
import { confirming } from "../confirming.ts";
import { Refusal } from "../failure.ts";
import { addChangeCommands } from "./changes.ts";
import { formatTime, leaf, sheet, show, table, type JsonOption } from "../output.ts";
import { addMeasureCommands } from "./instance-measures.ts";

export function addInstanceCommands(program: Command): void {
  const group = program.command("instances").description("the organization's apps");
  leaf(group, "list", "apps, newest first").option("--all", "also those that were ended").action(list);
  leaf(group, "get <id>", "one of them").action(get);
  for (const verb of ["start", "stop", "restart"] as const) {
    leaf(group, `${verb} <id>`, `${verb} the app`).action(async (instanceId: string, options: JsonOption) => {
      const operation = await withApi(({ api }) =>
        api.instances[verb].mutate({ instanceId, idempotencyKey: randomUUID() }),
      );
      show(options, operation, () => describeOperation(operation));
    });
  }
  addChangeCommands(group);
  leaf(group, "credentials <id>", "address, user and password; this is audited").action(credentials);
  addMeasureCommands(group);
  leaf(group, "watch <id>", "follow what happens to it, live, until Ctrl-C")
    .option("--until-done", "end with the operation that runs; 1 if it failed")
    .action(watch);
}

async function list({ all, ...options }: JsonOption & { readonly all?: boolean }): Promise<void> {
  const instances = await withApi(({ api }) =>
    listAll((page) => api.instances.list.query({ ...page, includeRemoved: all === true })),
  );
  const rows = instances.map(({ id, name, offering, observedPhase, desiredPhase, url, isOpen }) => ({
    id,
    name,
    app: offering.slug,
    status: observedPhase,
    wanted: desiredPhase,
    address: isOpen ? url : "",
  }));
  show(options, instances, () => table(rows, "No apps."));
}

async function get(instanceId: string, options: JsonOption): Promise<void> {
  const instance = await withApi(({ api }) => api.instances.get.query({ instanceId }));
  show(options, instance, () => describeInstance(instance));
}

async function credentials(instanceId: string, options: JsonOption): Promise<void> {
  const answer = await withApi((session) =>
    confirming(session, ({ api }) => api.instances.revealCredentials.mutate({ instanceId })),
  );
  show(options, answer, () =>
    [
      sheet({
        address: answer.url,
        ...Object.fromEntries(answer.credentials.map(({ label, value }) => [label, value])),
      }),
      ...(answer.instructions === null ? [] : ["", answer.instructions]),
    ].join("\n"),
  );
}

async function watch(instanceId: string, options: JsonOption & { readonly untilDone?: boolean }): Promise<void> {
  await withApi(async (session) => {
    let before: InstanceDto | null = null;
    for await (const instance of statuses(session, instanceId)) {
      const lines = options.json === true ? [JSON.stringify(instance)] : describeChange(before, instance);
      for (const line of lines) process.stdout.write(`${line}\n`);
      before = instance;
      if (options.untilDone === true && isDone(instance.operation)) break;
    }
    const status = before?.operation?.status;
    if (options.untilDone === true && status !== "succeeded")
      throw new Refusal(`The operation ended as ${status ?? "unknown"}.`);
  });
}

/** Ends when the caller stops iterating; throws when the stream cannot go on. */
async function* statuses({ api }: Session, instanceId: string): AsyncGenerator<InstanceDto> {
  const waiting: InstanceDto[] = [];
  let wake = Promise.withResolvers<void>();
  const subscription = api.instances.onStatus.subscribe(
    { instanceId },
    {
      onData: ({ data }) => {
        waiting.push(data);
        wake.resolve();
      },
      onError: (error) => wake.reject(error),
      onComplete: () => wake.reject(new Refusal("The server ended the stream.")),
    },
  );
  try {
    for (;;) {
      await wake.promise;
      wake = Promise.withResolvers();
      yield* waiting.splice(0);
    }
  } finally {
    subscription.unsubscribe();
    // Nobody waits for it any more.
    wake.promise.catch(() => undefined);
  }
}

function isDone(operation: OperationDto | null): boolean {
  return operation === null || operation.finishedAt !== null;
}

/** Lines for what is new: steps of the operation, and the phase. */
function describeChange(before: InstanceDto | null, now: InstanceDto): readonly string[] {
  const known = new Map(
    before?.operation?.id === now.operation?.id ? before?.operation?.steps.map((step) => [step.key, step.status]) : [],
  );
  const steps = (now.operation?.steps ?? [])
    .filter(({ key, status }) => status !== "pending" && known.get(key) !== status)
    .map(({ key, status }) => `  ${now.operation?.kind ?? ""}: ${key} ${status}`);
  const isNewPhase = before?.observedPhase !== now.observedPhase || before.message !== now.message;
  const phase = `${now.name}: ${now.observedPhase}${now.message === null ? "" : ` (${now.message})`}`;
  const opened = now.isOpen && before?.isOpen !== true ? [`open at ${now.url}`] : [];
  return [...steps, ...(isNewPhase ? [phase] : []), ...opened];
}

function describeInstance(instance: InstanceDto): string {
  return [
    sheet({
      app: instance.id,
      name: instance.name,
      plan: `${instance.offering.slug}/${instance.planName}`,
      status: instance.observedPhase,
      wanted: instance.desiredPhase,
      message: instance.message,
      address: instance.isOpen ? instance.url : "not open yet",
      subscription: instance.subscriptionId,
    }),
    ...(instance.operation === null ? [] : ["", describeOperation(instance.operation)]),
  ].join("\n");
}

function describeOperation(operation: OperationDto): string {
  return [
    `${operation.kind}: ${operation.status}${operation.message === null ? "" : ` (${operation.message})`}`,
    ...operation.steps.map(({ key, status, finishedAt }) =>
      `  ${key.padEnd(10)} ${status} ${formatTime(finishedAt)}`.trimEnd(),
    ),
  ].join("\n");
}
