const newline = 0x0a;
/** Twice what the API server stores of one object. */
const longestLine = 4 * 1024 ** 2;

/** The lines of a stream, without their ends. Throws on one that is longer than any object can be. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(newline, start); end >= 0; end = rest.indexOf(newline, start)) {
      if (end > start) yield rest.toString("utf8", start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > longestLine) throw new Error("A line of the watch is longer than any object can be.");
  }
}
