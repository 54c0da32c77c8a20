/** Apps behind the ingress, as somebody outside sees them. */
export interface Apps {
  /**
   * Requests for this host, or for all, are answered with 502 from now on, although the pods are ready: what an app looks
   * like that hangs. The cluster itself does not notice.
   */
  stopAnswering(host?: string): void;
  /** All answer again that are ready. */
  clear(): void;
}

export class AppSwitches {
  readonly #silent = new Set<string>();

  isSilent(host: string): boolean {
    return this.#silent.has("") || this.#silent.has(host);
  }

  controls(): Apps {
    return { stopAnswering: (host = "") => void this.#silent.add(host), clear: () => this.#silent.clear() };
  }
}
