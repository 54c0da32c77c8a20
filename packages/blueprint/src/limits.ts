/**
 * What a definition may cost us to read. Definitions are written by people we pay, and still treated as hostile:
 * one of them runs through every price and every start of an instance.
 */
export const limits = {
  /** Bytes of UTF-8. */
  textBytes: 256 * 1024,
  /** Nested collections, the outermost counted. */
  depth: 32,
  /** Open constructs while the text is read; above `depth`, because keys and values each open one. */
  parserStack: 80,
  /** Lexical tokens, blanks counted; a line `key: value` has about eight. */
  lexemes: 50_000,
  /** Keys, values and collections together. */
  nodes: 10_000,
  resources: 20,
  parameters: 100,
  settings: 50,
  secrets: 20,
  prices: 500,
  allowedValues: 100,
  ports: 10,
  volumes: 5,
  files: 20,
  environmentVariables: 100,
  /** Characters of a value that a customer may type, unless the parameter says less. */
  parameterCharacters: 1_000,
  /** In the whole definition. */
  expressions: 500,
  expressionCharacters: 1_000,
  expressionNodes: 200,
  expressionDepth: 24,
  /** UTF-16 units of one evaluated text. */
  resultCharacters: 64 * 1024,
} as const;
