/** How much may be tried again: a share of all calls, so that servers in trouble do not get more work than those in health. */
export class Budget {
  private tokens: number

  /** @param percent Of a hundred calls, how many may be tried again; 0: none. Some may before there were a hundred. */
  constructor(private readonly percent: number) {
    this.tokens = percent > 0 ? MOST / 2 : 0
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

/** What can be saved up. */
const MOST = 1000
