/** Something done again and again, the first time at once. */
export interface Loop extends AsyncDisposable {
  /** Milliseconds since it last succeeded; since its start while it has not. */
  readonly silentMs: () => number;
}

export interface LoopOptions {
  readonly everyMs: number;
  readonly run: () => Promise<void>;
  /** Told about a failed turn; the next one comes as if nothing had happened. */
  readonly onError: (error: unknown) => void;
}

/** Disposing waits for the turn that runs and starts no other. */
export function startLoop({ everyMs, run, onError }: LoopOptions): Loop {
  let succeededAt = performance.now();
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const turn = async (): Promise<void> => {
    try {
      await run();
      succeededAt = performance.now();
    } catch (error) {
      onError(error);
    }
    if (!isStopped) timer = setTimeout(next, everyMs);
  };
  const next = (): void => {
    current = turn();
  };
  let current = turn();
  return {
    silentMs: () => performance.now() - succeededAt,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
