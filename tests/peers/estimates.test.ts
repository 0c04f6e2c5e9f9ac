import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { estimatesSystems, readEstimates } from '../../lib/src/peers/index.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-estimates-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

/** Keys of a program by track, as text. */
const keysOf = (program: ReturnType<typeof readEstimates>[number]): Record<string, string> =>
  Object.fromEntries([...program.answers].map(([id, { keyId }]) => [id, KEYS[keyId].label]));

describe('estimates of one program', () => {
  it('with confidence, in any notation', () => {
    const [program, ...more] = readEstimates(
      'id,key,confidence\na,Eb minor,0.9\nb,8A,\nc,F#m,87%\nd,1d,-0.25\ne,C Major,1e-3\n',
      'e.csv',
    );
    expect(more).toEqual([]);
    expect(program.program).toBeNull();
    expect(keysOf(program)).toEqual({ a: 'Eb minor', b: 'A minor', c: 'Gb minor', d: 'C major', e: 'C major' });
    expect([...program.answers.values()].map(({ confidence }) => confidence)).toEqual([0.9, null, 87, -0.25, 0.001]);
    expect(program.notes).toEqual([]);
  });

  it('as keymyna predict writes them', () => {
    const text = 'file,key,confidence,second,duration\nx/a.mp3,Db major,0.71,Bb minor,31.2\n';
    expect(keysOf(readEstimates(text, 'p.csv')[0])).toEqual({ 'x/a.mp3': 'Db major' });
  });

  it('what names no key is a track without an answer, with the line', () => {
    const [program] = readEstimates('id,key\na,A minor\nb,-\nc,\nd,A major / B minor\ne,loud\n', 'e.csv');
    expect([...program.answers.keys()]).toEqual(['a']);
    expect([...program.problems.keys()]).toEqual(['b', 'c', 'd', 'e']);
    expect(program.problems.get('d')).toMatch(
      /e\.csv line 5, column key: the label "A major \/ B minor" names several/,
    );
  });

  it('a tonic alone is major only beside minor keys with an m, and a note says so', () => {
    const [marked] = readEstimates('id,key\na,Am\nb,F#\nc,Bbm\n', 'e.csv');
    expect(keysOf(marked)).toEqual({ a: 'A minor', b: 'Gb major', c: 'Bb minor' });
    expect(marked.notes).toEqual([expect.stringMatching(/^1 keys are a tonic alone; read as major/)]);
    for (const other of ['A minor', 'C major', 'CM']) {
      const [program] = readEstimates(`id,key\na,${other}\nb,F#\n`, 'e.csv');
      expect(program.problems.get('b')).toMatch(/has no mode/);
    }
  });
});

describe('estimates of several programs', () => {
  it('one row a program and track', () => {
    const text = 'id,program,key,confidence\na,one,C major,.5\na,two,C minor,\nb,one,D minor,.6\n';
    const programs = readEstimates(text, 'e.csv');
    expect(programs.map(({ program }) => program)).toEqual(['one', 'two']);
    expect(programs.map(keysOf)).toEqual([{ a: 'C major', b: 'D minor' }, { a: 'C minor' }]);
  });

  it('one column a program; columns without keys are left out', () => {
    const text =
      'id,title,reference,one,one confidence,two,bpm\na,Song,C major,C major,.5,8B,120\nb,Em,D minor,-,,7A,97\nc,x,,G major,.1,,\n';
    const programs = readEstimates(text, 'e.csv');
    expect(programs.map(({ program }) => program)).toEqual(['one', 'two']);
    expect(programs.map(keysOf)).toEqual([
      { a: 'C major', c: 'G major' },
      { a: 'C major', b: 'D minor' },
    ]);
    expect(programs[0].answers.get('c')!.confidence).toBe(0.1);
    expect(programs[1].answers.get('a')!.confidence).toBeNull();
  });
});

describe('what is no such file', () => {
  it.each([
    ['key\nC major\n', /no column id, file, path \(found: key\)/],
    ['id,key\n', /no rows/],
    ['id,bpm\na,120\n', /none of id, bpm holds keys/],
    ['id,key\na,C major\na,D major\n', /line 3: "a" stands in line 2 already/],
    ['id,key\n,C major\n', /line 2: the track has no name/],
    ['id,key,confidence\na,C major,sure\n', /line 2: the confidence "sure" is no number/],
    ['id,program,key\na,,C major\n', /line 2, column program: is empty/],
    ['', /the file is empty/],
  ])('%j is refused', (text, message) => expect(() => readEstimates(text, 'e.csv')).toThrow(message));

  it('never anything but an InputError, whatever the text', () => {
    const cell = fc.oneof(fc.constantFrom('id', 'key', 'Am', '8A', 'x confidence', '"', 'program'), fc.string());
    const text = fc.array(fc.array(cell, { maxLength: 4 }), { maxLength: 5 }).map((rows) => rows.map((row) => row.join(',')).join('\n')); // prettier-ignore
    fc.assert(
      fc.property(text, (csv) => {
        try {
          for (const { answers } of readEstimates(csv, 'e.csv'))
            for (const { keyId } of answers.values()) expect(KEYS[keyId]).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('estimates as systems', () => {
  const tracks = [
    { id: '1', path: '/music/x/first.mp3' },
    { id: '2', path: '/music/x/second.wav' },
    { id: '3', path: '/music/y/second.wav' },
  ];
  const write = (name: string, text: string): string => {
    writeFileSync(at(name), text);
    return at(name);
  };

  it('rows find their tracks by id, by path, by the name of the file if only one has it', () => {
    const path = write(
      'mine.csv',
      'id,key\n1,C major\n/music/y/second.wav,D major\nC:\\dj\\second.mp3,E major\nnowhere,F major\n',
    );
    const [system] = estimatesSystems({ kind: 'csv', name: null, path }, tracks);
    expect(system.name).toBe('mine');
    expect([...system.answers.keys()]).toEqual(['1', '3']);
    expect(system.problems.get('2')).toMatch(/mine\.csv: has no row for this track/);
    expect(system.notes).toEqual([
      '1 rows were matched by the name of the audio file',
      '2 rows are about tracks that are not compared here',
    ]);
    const [byName] = estimatesSystems({ kind: 'csv', name: 'own', path: write('b.csv', 'id,key\nfirst,Am\n') }, tracks);
    expect([byName.name, [...byName.answers.keys()]]).toEqual(['own', ['1']]);
  });

  it('a name chooses among several programs; an unknown one is refused', () => {
    const path = write('two.csv', 'id,one,two\n1,C major,8A\n2,D major,9A\n');
    const names = (name: string | null): string[] =>
      estimatesSystems({ kind: 'csv', name, path }, tracks).map((system) => system.name);
    expect(names(null)).toEqual(['one', 'two']);
    expect(names('two')).toEqual(['two']);
    expect(() => names('three')).toThrow(/holds no program "three"; it holds one, two/);
  });

  it('a file about other tracks is refused', () => {
    const path = write('other.csv', 'id,key\nx9,C major\n');
    expect(() => estimatesSystems({ kind: 'csv', name: null, path }, tracks)).toThrow(
      /names "x9", they are named such as "1"/,
    );
  });
});
