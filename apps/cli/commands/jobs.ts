import { cancelJob, type JobRow, listJobs, retryJob, runJob } from "@sewa/core";
import { Option, type Command } from "commander";
import { listAll } from "../client.ts";
import { UsageError } from "../failure.ts";
import { withCore } from "../operator.ts";
import { formatTime, leaf, show, table, type JsonOption } from "../output.ts";

const statuses: readonly JobRow["status"][] = ["waiting", "running", "failed"];
const errorCharacters = 60;

export function addJobCommands(program: Command): void {
  const group = program.command("jobs").description("the queue of the workers");
  leaf(group, "list", "waiting, running and failed jobs, oldest first")
    .option("--task <task>", "of one task, such as instance:reconcile")
    .addOption(new Option("--status <status>", "of one status").choices(statuses))
    .action(list);
  leaf(group, "run <task> [payload]", 'add a job; the payload is JSON, such as \'{"instanceId":"…"}\'').action(run);
  leaf(group, "retry <id>", "give a job its next try at once, with all its attempts").action(
    async (id: string, options: JsonOption) => {
      await withCore((ctx) => retryJob(ctx, id));
      show(options, { id, retried: true }, () => `Job ${id} is tried again now.`);
    },
  );
  leaf(group, "cancel <id>", "take a job out of the queue that no worker runs").action(
    async (id: string, options: JsonOption) => {
      await withCore((ctx) => cancelJob(ctx, id));
      show(
        options,
        { id, cancelled: true },
        () => `Job ${id} is gone. If its work is still due, the sweep adds it again.`,
      );
    },
  );
}

interface ListOptions extends JsonOption {
  readonly task?: string;
  readonly status?: JobRow["status"];
}

async function list({ task, status, json }: ListOptions): Promise<void> {
  const jobs = await withCore((ctx) => listAll(({ cursor }) => listJobs(ctx, { task, status, cursor })));
  show({ json: json === true }, jobs, () => table(jobs.map(toRow), "No jobs."));
}

function toRow(job: JobRow): Readonly<Record<string, unknown>> {
  return {
    id: job.id,
    task: job.task,
    status: job.status,
    key: job.key,
    attempts: `${job.attempts}/${job.maxAttempts}`,
    "run at": formatTime(job.runAt),
    worker: job.lockedBy,
    request: job.requestId,
    error: job.lastError?.split("\n")[0]?.slice(0, errorCharacters),
  };
}

async function run(task: string, payload: string | undefined, options: JsonOption): Promise<void> {
  const value = parsePayload(payload ?? "{}");
  await withCore((ctx) => runJob(ctx, task, value));
  show(options, { task, added: true }, () => `${task} was added.`);
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`The payload is no JSON: ${text}`, { cause: error });
  }
}
