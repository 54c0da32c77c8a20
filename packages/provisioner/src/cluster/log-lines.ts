/** One line of what a container wrote, safe to show. */
export interface LogLine {
  /** When it was written, in UTC with nine digits of a second, so that text order is time order; null when the line carries no time. */
  readonly at: string | null;
  readonly text: string;
  /** The line was longer than what is shown of it. */
  readonly isCut: boolean;
}

const newline = 0x0a;
/** What is kept of one line; an app may write megabytes without an end of line. */
const longestLineBytes = 16 * 1_024;

/** The lines of a log with timestamps, as they arrive. What stands after the last end of line is a line too. */
export async function* readLogLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<LogLine> {
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let isCut = false;
  const keep = (part: Buffer): void => {
    const room = longestLineBytes - keptBytes;
    if (part.length > room) isCut = true;
    if (room <= 0 || part.length === 0) return;
    // A copy, so that a short rest does not keep the whole chunk alive.
    kept.push(Buffer.from(part.subarray(0, room)));
    keptBytes += Math.min(part.length, room);
  };
  const take = (): LogLine => {
    const line = toLogLine(Buffer.concat(kept, keptBytes), isCut);
    kept = [];
    keptBytes = 0;
    isCut = false;
    return line;
  };
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      keep(bytes.subarray(start, end));
      yield take();
      start = end + 1;
    }
    keep(bytes.subarray(start));
  }
  if (keptBytes > 0) yield take();
}

/** Bytes that are no UTF-8 become U+FFFD. */
function toLogLine(bytes: Buffer, isCut: boolean): LogLine {
  const line = bytes.toString("utf8").replace(/\r$/u, "");
  const stamp = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2})(?: |$)/u.exec(line);
  const at = stamp === null ? null : toStamp(stamp[1] ?? "", stamp[2] ?? "", stamp[3] ?? "Z");
  const text = at === null || stamp === null ? line : line.slice(stamp[0].length);
  return { at, text: escapeControls(text), isCut };
}

/** The kubelet writes in its machine's time zone. Null for a moment that does not exist. */
function toStamp(seconds: string, fraction: string, zone: string): string | null {
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? null : `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(9, "0")}Z`;
}

/**
 * Whoever reads a log in a terminal must not be steered by it: escape sequences, and marks that turn the direction of
 * text, are spelled out. Tabs stay.
 */
function escapeControls(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex -- these are what has to be found
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => {
      const code = character.charCodeAt(0).toString(16);
      return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
    },
  );
}
