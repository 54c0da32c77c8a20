/** Tells a story on the terminal: numbered chapters, facts, and what is being waited for. */
export interface Narrator {
  chapter(title: string): void;
  /** Something that was seen and checked. */
  fact(text: string): void;
  /** Detail without a claim. */
  note(text: string): void;
  /** Shows that something goes on, with the seconds, until the promise has settled. */
  during<T>(waitingFor: string, work: Promise<T>): Promise<T>;
}

const reportEveryMs = 3_000;

export function createNarrator(out: NodeJS.WriteStream): Narrator {
  const colour = out.isTTY === true && process.stdout.hasColors();
  const paint = (code: number, text: string): string => (colour ? `\u001B[${code}m${text}\u001B[0m` : text);
  let chapters = 0;
  const line = (text: string): void => {
    out.write(`${text}\n`);
  };
  return {
    chapter(title) {
      chapters += 1;
      line(`\n${paint(1, `${chapters}. ${title}`)}`);
    },
    fact: (text) => line(`   ${paint(32, "✔")} ${text}`),
    note: (text) => line(`     ${paint(2, text)}`),
    async during(waitingFor, work) {
      const started = performance.now();
      const timer = setInterval(() => {
        line(`   ${paint(33, "…")} ${waitingFor} (${Math.round((performance.now() - started) / 1_000)} s)`);
      }, reportEveryMs);
      try {
        return await work;
      } finally {
        clearInterval(timer);
      }
    },
  };
}
