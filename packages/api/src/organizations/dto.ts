/** What is left out stays; null takes it away. */
export interface UpdateOrganizationInput {
  /** As the tax office writes it (NPWP). */
  readonly taxId?: string | null | undefined;
  /** ISO 3166, as `ID`: which taxes hold. */
  readonly country?: string | null | undefined;
}
