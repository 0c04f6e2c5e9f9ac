import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { codeOnly, importLines, importProblem, readSource, sourceFiles, type Arrows } from './imports.js';

const ROOT = join(import.meta.dirname, '../..');
const SOURCE = join(ROOT, 'lib/src');
const files = sourceFiles(SOURCE);

const ABOVE_EXPERIMENTS = ['store', 'tensor', 'keys', 'stats', 'audio', 'corpus', 'mel', 'views', 'encoder', 'pretrain', 'embeddings', 'probe', 'notes', 'finetune', 'maps', 'tsne', 'predict']; // prettier-ignore

/** The rooms in the order in which data flows, and what each may import beside errors.ts and workers/. */
const TABLE: Readonly<Record<string, Arrows>> = {
  store: { values: [] },
  workers: { values: [] },
  tensor: { values: ['store'] },
  keys: { values: [] },
  stats: { values: [] },
  audio: { values: ['tensor'] }, // its random numbers
  corpus: { values: ['store', 'keys', 'audio', 'tensor'] }, // tensor: its random numbers
  mel: { values: ['tensor'] },
  views: { values: ['tensor'], types: ['mel'] },
  encoder: { values: ['tensor', 'views', 'store', 'mel'] }, // mel: the setting that weights were trained on
  pretrain: { values: ['encoder', 'views', 'corpus', 'mel', 'tensor', 'store'] },
  embeddings: { values: ['encoder', 'mel', 'corpus', 'store', 'tensor'] },
  probe: { values: ['embeddings', 'keys', 'tensor', 'stats', 'store'] }, // embeddings: tables and their standardizer
  notes: { values: ['probe', 'embeddings', 'encoder', 'views', 'mel', 'corpus', 'keys', 'tensor', 'store'] },
  finetune: { values: ['notes', 'probe', 'pretrain', 'encoder', 'views', 'mel', 'corpus', 'keys', 'tensor', 'store'] },
  exporting: { values: ['notes', 'corpus', 'encoder', 'probe', 'views', 'mel', 'keys', 'store'] },
  maps: { values: ['tensor', 'store', 'keys', 'stats'], types: ['embeddings'] }, // stats: intervals of held-out measures
  tsne: { values: ['tensor'] },
  predict: { values: ['notes', 'probe', 'embeddings', 'encoder', 'mel', 'corpus', 'audio', 'keys', 'tensor', 'store'] },
  peers: { values: ['predict', 'probe', 'embeddings', 'encoder', 'mel', 'corpus', 'audio', 'stats', 'keys', 'tensor', 'store'] }, // prettier-ignore
  experiments: { values: ABOVE_EXPERIMENTS },
  figures: { values: ['keys'], types: ['experiments', 'peers'] },
  notebook: { values: ['store', 'figures', 'audio'] }, // audio: its WAV encoder
};

describe('the import order is the data flow', () => {
  const lines = files.flatMap((file) => importLines(file, readSource(SOURCE, file)));

  it('finds the library', () => {
    expect(files.length).toBeGreaterThan(20);
    expect(lines.length).toBeGreaterThan(50);
  });

  it('has no arrow against it', () => {
    expect(lines.map((line) => importProblem(line, TABLE)).filter(Boolean)).toEqual([]);
  });

  it('would see a wrong arrow of each sort', () => {
    const problem = (file: string, text: string) => importProblem(importLines(file, text)[0], TABLE);
    expect(problem('store/a.ts', `import { x } from '../tensor/index.js';`)).toMatch(/store\/a\.ts imports tensor/);
    expect(problem('tensor/a.ts', `export { x } from '../store/files.js';`)).toMatch(/entered by their index/);
    expect(problem('views/a.ts', `import { x } from '../mel/index.js';`)).toMatch(/types only/);
    expect(problem('views/a.ts', `import type { X } from '../mel/index.js';`)).toBeNull();
    expect(problem('views/a.ts', `import { type X } from '../mel/index.js';`)).toBeNull();
    expect(problem('stats/deep/a.ts', `const x = await import('../../keys/index.js');`)).toMatch(/imports keys/);
    expect(problem('figures/a.ts', `import 'tslab';`)).toMatch(/only notebook/);
    expect(problem('probe/a.ts', `import { x } from 'keymyna/keys';`)).toMatch(/its own package/);
    expect(problem('attic/a.ts', `import { x } from '../keys/index.js';`)).toMatch(/not in the table/);
  });

  it('the table itself has no circle of values', () => {
    const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
      (TABLE[from]?.values ?? []).some((room) => {
        if (room === to) return true;
        if (seen.has(room)) return false;
        seen.add(room);
        return reaches(room, to, seen);
      });
    expect(Object.keys(TABLE).filter((room) => reaches(room, room))).toEqual([]);
  });
});

describe('library code', () => {
  const mayTalk = (file: string) => /^(cli\.ts|cli\/|notebook\/)/.test(file);

  it('takes randomness and folders as arguments, and does not print', () => {
    const found = files
      .filter((file) => !mayTalk(file))
      .flatMap((file) =>
        codeOnly(readSource(SOURCE, file))
          .split('\n')
          .flatMap((line, i) =>
            /\bMath\.random\b|\bprocess\.cwd\b|\bconsole\.\w|\bDate\.now\b/.test(line) ? [`${file}:${i + 1}`] : [],
          ),
      );
    expect(found).toEqual([]);
  });

  it('has no drawer for everything, and no barrel beside each index.ts', () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/i.test(file))).toEqual([]);
    const barrels = files.filter((file) => {
      if (/^(index\.ts|[^/]+\/index\.ts)$/.test(file)) return false;
      const statements = codeOnly(readSource(SOURCE, file)).match(/^(export|import|const|function|class|interface|type)\b.*/gm) ?? []; // prettier-ignore
      return statements.length > 1 && statements.every((line) => /^export .*\bfrom\b/.test(line));
    });
    expect(barrels).toEqual([]);
  });

  it('each room has an index.ts that begins with what the room holds', () => {
    const rooms = [...new Set(files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]))];
    const without = rooms
      .filter((room) => room in TABLE)
      .filter((room) => !files.includes(`${room}/index.ts`) || !/^\/\*\*/.test(readSource(SOURCE, `${room}/index.ts`)));
    expect(without).toEqual([]);
  });

  it('has files that can be read in one sitting', () => {
    const lengths = files
      .filter((file) => !file.startsWith('generated/'))
      .map((file) => ({ file, lines: readSource(SOURCE, file).split('\n').length - 1 }));
    const long = lengths.filter(({ lines }) => lines > 300).map(({ file, lines }) => `${file} has ${lines} lines`);
    if (long.length) console.warn(`over 300 lines: ${long.join('; ')}`);
    expect(lengths.filter(({ lines }) => lines > 400)).toEqual([]);
  });
});

describe('tracked files', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);

  it('name no folder of one machine', () => {
    const text = tracked.filter((file) => /\.(ts|js|mjs|cjs|json|md|yml|cff|ipynb|html)$|^\.ci\//.test(file));
    const folders = new RegExp(`/(${['work', 'root', 'home/[a-z]+', 'Users/[a-z]+'].join('|')})/`);
    const found = text.filter((file) => {
      try {
        return folders.test(readFileSync(join(ROOT, file), 'utf8'));
      } catch {
        return false; // deleted in the working tree
      }
    });
    expect(found).toEqual([]);
  });

  it('hold no download addresses in the lock file', () => {
    expect(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).not.toMatch(/"resolved": "[a-z+]+:\/\//);
  });
});
