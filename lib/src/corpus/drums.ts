/** Drum patterns, as strings of sixteenths: x = hit, o = soft hit, . = rest; a bar of three beats uses the first 12. */

/** General MIDI percussion notes. */
const KICK = 36;
const SNARE = 38;
const CLAP = 39;
const HAT = 42;
const OPEN_HAT = 46;
const RIDE = 51;
const TOM = 45;
const TAMBOURINE = 54;
const CONGA = 63;

type DrumPattern = Readonly<Record<number, string>>;

/** 0..3 loops, 4..7 band, 8..9 folk. */
export const DRUM_PATTERNS: readonly DrumPattern[] = [
  { [KICK]: 'x...x...x...x...', [OPEN_HAT]: '..x...x...x...x.', [CLAP]: '....x.......x...' },
  { [KICK]: 'x...x...x...x...', [HAT]: 'xoxoxoxoxoxoxoxo', [SNARE]: '....x.......x..o' },
  { [KICK]: 'x..x..x...x.....', [SNARE]: '....x.......x...', [HAT]: 'x.x.x.x.x.x.x.xo' },
  { [KICK]: 'x.....x...x..x..', [CLAP]: '....x..o.o..x...', [HAT]: 'xxoxxxoxxxoxxxox', [CONGA]: '...x..x....x..x.' },
  { [KICK]: 'x.......x.......', [SNARE]: '....x.......x...', [HAT]: 'x.x.x.x.x.x.x.x.' },
  { [KICK]: 'x..x..x.x.......', [SNARE]: '....x.......x...', [RIDE]: 'x...x.x.x...x.x.' },
  {
    [KICK]: 'x.x.....x.x.....',
    [SNARE]: '....x..o....x..o',
    [OPEN_HAT]: 'x...x...x...x...',
    [TOM]: '..............xx',
  },
  {
    [KICK]: 'x.....x.....x...',
    [SNARE]: '........x.......',
    [HAT]: 'x.x.x.x.x.x.x.x.',
    [TAMBOURINE]: '....x.......x...',
  },
  { [TAMBOURINE]: '..x...x...x...x.', [KICK]: 'x.......x.......' },
  { [CONGA]: 'x..o..x.x..o..x.', [TAMBOURINE]: 'x...x...x...x...' },
];
