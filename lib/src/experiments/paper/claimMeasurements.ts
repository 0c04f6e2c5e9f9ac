/** What notebook 09 says of each claim of the papers; types only. */
import type { Interval, Provenance, TestSplit } from '../measurements.js';

/**
 * By rule, from the evidence alone. `reproduced`: every part of it speaks for the claim; `in part`: some do;
 * `not reproduced`: none does; `contradicted`: every part speaks against it.
 */
export type Verdict = 'reproduced' | 'in part' | 'not reproduced' | 'contradicted' | 'not testable here';

/** One part of the evidence. */
export interface ClaimEvidence {
  readonly what: string;
  /** Null: both test splits or none of them. */
  readonly split: TestSplit | null;
  /** A difference in the claim's direction: an interval above 0 speaks for it, one below 0 against it. */
  readonly difference: Interval | null;
  /** Or how many of so many comparisons speak for it by themselves; all is for, none is against, some is in part. */
  readonly count: { readonly holds: number; readonly of: number } | null;
}

export interface PaperClaim {
  readonly claim: string;
  /** Where it is measured, `04`. */
  readonly notebook: string;
  readonly evidence: readonly ClaimEvidence[];
  readonly verdict: Verdict;
  readonly remark: string;
}

export interface ClaimMeasurement extends Provenance {
  readonly claims: readonly PaperClaim[];
}
