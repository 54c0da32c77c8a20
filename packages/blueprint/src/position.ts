/** Keys and indexes from the root of a document. */
export type Path = readonly (string | number)[];

/** 1-based; the column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What to point at: the key instead of what it holds, or a character inside the scalar. */
export interface Place {
  readonly atKey?: boolean;
  /** UTF-16 units into the scalar's value. */
  readonly offset?: number;
}

/** One YAML or JSON document as plain data, which still knows where everything stood. */
export interface Source {
  readonly filename: string | undefined;
  /** Plain objects, arrays, strings, finite numbers, booleans and null. No prototype keys, no shared references. */
  readonly value: unknown;
  /** Where the value at `path` begins; its nearest parent where it is missing. */
  locate(path: Path, place?: Place): Position;
}
