import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cardWithScores } from '../../tools/src/model.js';
import { readmeWithResults } from '../../tools/src/readme.js';

const root = join(import.meta.dirname, '../..');

it('the numbers of README.md are those of the committed study', () => {
  expect(readFileSync(join(root, 'README.md'), 'utf8')).toBe(readmeWithResults(root));
});

it('the scores of the model card are those that were measured', () => {
  expect(readFileSync(join(root, 'data/checkpoints/README.md'), 'utf8')).toBe(cardWithScores(root));
});

it('every file that README.md links to is there', () => {
  const links = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path);
  expect(links.length).toBeGreaterThan(5);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
