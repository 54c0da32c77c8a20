/** What is declined although card or bank would say yes. */
export class DeclineSwitches {
  #charges: string[] = [];
  #refunds: string[] = [];

  /** The next `times` charges of any card. */
  charges(failure: string, times: number): void {
    this.#charges.push(...Array<string>(times).fill(failure));
  }

  /** The next `times` refunds: accepted, and then not carried out. */
  refunds(failure: string, times: number): void {
    this.#refunds.push(...Array<string>(times).fill(failure));
  }

  nextCharge(): string | null {
    return this.#charges.shift() ?? null;
  }

  nextRefund(): string | null {
    return this.#refunds.shift() ?? null;
  }

  clear(): void {
    this.#charges = [];
    this.#refunds = [];
  }
}
