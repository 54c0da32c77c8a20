export interface VersionDto {
  /** Of the contract; clients and server of one minor version understand each other. */
  readonly api: string;
  /** The currency of quotes and invoices. */
  readonly currency: string;
}

export interface HealthDto {
  readonly status: "ok";
  /** The server's clock. */
  readonly now: Date;
}
