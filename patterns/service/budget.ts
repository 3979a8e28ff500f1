/** How much may be tried again: a share of all calls, so that servers in trouble do not get more work than those in health. */
export class Budget {
  private tokens: number

  /** @param percent Of a hundred calls, how many may be tried again; 0: none. So may the first hundred. */
  constructor(private readonly percent: number) {
    this.tokens = percent > 0 ? FIRST : 0
  }

  /** There is one call more. */
  earn(): void {
    this.tokens = Math.min(MOST, this.tokens + this.percent / 100)
  }

  /** false: there have been too many. */
  spend(): boolean {
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }
}

/** What can be saved up, and what there is at first. */
const MOST = 1000
const FIRST = 100
