/** What a worker thread does for the maps of one encoder. */
import { saveMap } from '../../maps/index.js';
import { writeJson } from '../../store/index.js';
import { initBackend } from '../../tensor/index.js';
import { chainName, chainShift } from '../augmented/augmentedSets.js';
import { measureComposition, measureCycles, measureInverse, measureKeyShift, measurePower } from './mapAlgebra.js';
import { fitChains, measureChain } from './mapFits.js';
import { fitByGradient } from './mapGradient.js';
import type { MapUnit, MapUnitResult } from './mapUnits.js';
import { type Span, type StageItem, stageTask } from '../run/stages.js';

/** Factory for `runStage`: the fits by gradient need a backend. */
export async function mapTask(init: unknown): Promise<(message: StageItem<MapUnit>) => Promise<Span>> {
  await initBackend();
  return stageTask<MapUnit>(init, async (unit, count) => {
    const { tables, readout, singles, byGradient, path, mapPaths } = unit;
    const fitted = fitChains(tables);
    const byName = new Map(fitted.map((one) => [chainName(one.chain), one]));
    const isSingle = new Set(singles.map(chainName));
    const shifts = new Map(
      fitted
        .filter(({ chain }) => chain.length === 1 && chainShift(chain) !== 0)
        .map((one) => [chainShift(one.chain), one] as const),
    );
    const semitones = [...shifts.keys()].sort((a, b) => a - b);
    const chains = fitted.map((one, done) => {
      count(done);
      return measureChain(one, isSingle.has(chainName(one.chain)));
    });
    const { train, valid, test } = fitted[0].pairs;
    const result: MapUnitResult = {
      pairs: {
        width: train.width,
        train: train.n,
        valid: valid.n,
        test: test.n,
        trainTracks: train.trackIds.length,
        testTracks: test.trackIds.length,
      },
      chains,
      compositions: unit.compositions.map((chain) => measureComposition(byName.get(chainName(chain))!, byName)),
      powers: semitones.filter((s) => shifts.has(Math.sign(s))).map((s) => measurePower(s, shifts)),
      inverses: semitones.filter((s) => shifts.has(-s)).map((s) => measureInverse(s, shifts)),
      cycles: measureCycles(shifts, tables, readout),
      keyShifts: semitones.map((s) => measureKeyShift(shifts.get(s)!, tables, readout)),
      gradient: await fitByGradient(byGradient.map((chain) => byName.get(chainName(chain))!)),
    };
    fitted.forEach(({ maps }, i) => saveMap(mapPaths[i], maps.linear));
    writeJson(path, result);
  });
}
