/** What was counted of one back-end, or of one of its servers. */
export class Tally {
  /** Requests; of tcp, connections. */
  requests = 0;
  /** Of them, those that were answered 5xx, or not at all. */
  errors = 0;
  /** Under way now. */
  open = 0;

  begin(): void {
    this.requests += 1;
    this.open += 1;
  }

  end(): void {
    this.open -= 1;
  }
}
