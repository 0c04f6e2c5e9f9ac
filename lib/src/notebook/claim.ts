import { InputError } from '../errors.js';
import { display, escapeHtml } from './display.js';

/** `strict`: true by construction, so a failure is a defect. `measured`: a finding, which may not hold on this machine's run. */
export type ClaimKind = 'strict' | 'measured';

/**
 * Shows a claim of the text beside what this run says about it.
 * @param evidence the numbers that decide it, as one sentence
 * @throws Error if a strict claim does not hold; a measured one is reported and the notebook goes on
 */
export function checkClaim(claim: string, holds: boolean, evidence: string, kind: ClaimKind = 'measured'): void {
  if (!claim || !evidence) throw new InputError('checkClaim', 'a claim and its evidence are expected, one is empty.');
  const verdict = holds ? 'holds' : kind === 'strict' ? 'fails' : 'does not hold here';
  const colour = holds ? '#2a7f3f' : kind === 'strict' ? '#b3261e' : '#9a6700';
  display({
    'text/html': `<div style="border-left:4px solid ${colour};padding:.3em .8em;margin:.5em 0">
<div><b>Claim:</b> ${escapeHtml(claim)}</div>
<div><b style="color:${colour}">${holds ? '✓' : '✗'} ${verdict}:</b> ${escapeHtml(evidence)}</div>
</div>`,
    'text/plain': `Claim: ${claim}\n${holds ? '✓' : '✗'} ${verdict}: ${evidence}`,
  });
  if (!holds && kind === 'strict') throw new Error(`The claim "${claim}" fails: ${evidence}`);
}
