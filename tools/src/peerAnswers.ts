/**
 * Writes tests/golden/peerAnswers.json: what essentia.js and our templates answer on pieces of the embedded corpus, its
 * splits train and valid. Needs essentia.js where Node finds it (NODE_PATH): `node tools/dist/peerAnswers.js`, a minute.
 */
import { join } from 'node:path';
import { corpus, InputError, peers } from 'keymyna';
import { Cache, writeJson } from 'keymyna/store';

const SIZES = { train: 60, valid: 20, test: 40, testTimbre: 40 } as const;
const SEED = 0;
const SYSTEMS = ['bgate', 'edma', 'krumhansl', 'temperley'].flatMap((name) => [name, `essentia:${name}`]);

const tracks = corpus
  .embeddedCorpus({ sizes: SIZES, seed: SEED })
  .tracks.filter(({ split }) => split === 'train' || split === 'valid');
const specs = SYSTEMS.map((text) => peers.parseSystem(text) as peers.DetectorSpec);
const folder = process.env.KEYMYNA_CACHE;
const { systems, failed } = await peers.detectTracks(tracks, specs, {
  ...(folder && { cache: new Cache(folder) }),
  onProgress: (done, total) => done % 20 === 0 && console.log(`${done} of ${total}`),
});
for (const { name, reason } of failed) throw new InputError(name, reason);
const path = join(import.meta.dirname, '../../tests/golden/peerAnswers.json');
writeJson(path, {
  sizes: SIZES,
  seed: SEED,
  ids: tracks.map(({ id }) => id),
  keys: tracks.map(({ keyId }) => keyId),
  answers: Object.fromEntries(
    systems.map(({ name, answers }) => [name, tracks.map(({ id }) => answers.get(id)!.keyId)]),
  ),
  strength: tracks.map(({ id }) => systems.find(({ name }) => name === 'essentia:bgate')!.answers.get(id)!.confidence),
});
console.log(path);
