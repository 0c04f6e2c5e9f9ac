import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claim, type ClaimEvidence, PUBLISHED_SCORES, verdictOf } from '../../lib/src/experiments/index.js';

const difference = (low: number, high: number): ClaimEvidence => ({
  what: 'a minus b',
  split: 'test',
  difference: { estimate: (low + high) / 2, low, high },
  count: null,
});
const count = (holds: number, of: number): ClaimEvidence => ({ what: 'n', split: null, difference: null, count: { holds, of } }); // prettier-ignore
const [forIt, open, against] = [difference(0.01, 0.03), difference(-0.01, 0.02), difference(-0.03, -0.01)];

describe('the verdict on a claim', () => {
  it.each([
    [[forIt, forIt], 'reproduced'],
    [[forIt, open], 'in part'],
    [[forIt, against], 'in part'],
    [[open, open], 'not reproduced'],
    [[open, against], 'not reproduced'],
    [[against, against], 'contradicted'],
    [[], 'not testable here'],
    [[count(15, 15)], 'reproduced'],
    [[count(14, 15)], 'in part'],
    [[count(1, 15), open], 'in part'],
    [[count(0, 15)], 'contradicted'],
  ] as const)('of %j is %s', (evidence, verdict) => {
    expect(verdictOf(evidence)).toBe(verdict);
    expect(claim('c', '04', evidence).verdict).toBe(verdict);
  });

  it('does not depend on the order of the evidence, and never falls when a part becomes better', () => {
    const rank = ['contradicted', 'not reproduced', 'in part', 'reproduced'];
    const part = fc.constantFrom(forIt, open, against, count(3, 4), count(1, 4), count(0, 4));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.nat(5), (evidence, place) => {
        const verdict = verdictOf(evidence);
        expect(verdictOf([...evidence].reverse())).toBe(verdict);
        const better = evidence.map((one, i) => (i === place % evidence.length ? forIt : one));
        expect(rank.indexOf(verdictOf(better))).toBeGreaterThanOrEqual(rank.indexOf(verdict));
      }),
    );
  });
});

describe('published scores', () => {
  it('are points of 100 with a source, none twice', () => {
    for (const { weighted, exact, source } of PUBLISHED_SCORES) {
      expect(weighted).toBeGreaterThan(exact ?? 50);
      expect(weighted).toBeLessThan(100);
      expect(source).not.toBe('');
    }
    const names = PUBLISHED_SCORES.map(({ system, dataset, ruler }) => `${system}/${dataset}/${ruler}`);
    expect(new Set(names).size).toBe(names.length);
  });
});
