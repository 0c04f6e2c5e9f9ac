/** The axes of the ablations as data: what stands on each, and what a preset without a variant is left with. */
import { describe, expect, it } from 'vitest';
import { axesOf, BASE } from '../../lib/src/experiments/pretraining/ablationAxes.js';
import { ablationOf, encodersOf, presetOf, type AblationMeasurement } from '../../lib/src/experiments/index.js';

const axesOfPreset = (name: string, depth: number | null = 4) => axesOf(encodersOf(presetOf(name), false), depth);

describe('the axes of the ablations', () => {
  it('are all there in the study, and pass through the base or name what they compare with', () => {
    const axes = axesOfPreset('study');
    expect(axes.map(({ id, choices }) => [id, choices.length])).toEqual([
      ['mask', 4],
      ['distance', 4],
      ['negatives', 2],
      ['patches', 3],
      ['layer', 6],
      ['loss', 2],
      ['scale', 2],
      ['pitch', 2],
      ['objective', 2],
      ['mixup', 2],
    ]);
    for (const { choices, reference } of axes) {
      const through = reference ?? BASE;
      expect(choices.filter(({ encoder, layer }) => encoder === through && layer === undefined)).toHaveLength(1);
    }
  });

  it('hold every variant of the study but those of other data', () => {
    const onAxes = new Set(axesOfPreset('study').flatMap(({ choices }) => choices.map(({ encoder }) => encoder)));
    for (const { id, data } of presetOf('study').variants)
      expect(onAxes.has(`vertical-${id}`)).toBe(data === undefined);
  });

  it('one choice apart: a variant on an axis differs from its neighbour there in one thing', () => {
    const jobs = new Map(encodersOf(presetOf('study'), false).map((one) => [one.name.id, one.job]));
    // Steps and their warm-up follow from the mask ratio and the objective, snapshots are looked at for the base alone.
    const budget = ['steps', 'warmUpSteps', 'snapshotSteps'];
    for (const { id, choices, reference = BASE } of axesOfPreset('study', null)) {
      const [, base] = [id, jobs.get(reference)!.config];
      for (const { encoder } of choices.filter((one) => one.encoder !== reference)) {
        const other = jobs.get(encoder)!.config;
        const fields = (Object.keys(base) as (keyof typeof base)[]).filter(
          (field) => !budget.includes(field) && JSON.stringify(base[field]) !== JSON.stringify(other[field]),
        );
        expect(fields, encoder).toHaveLength(id === 'objective' ? 2 : 1); // its own mask ratio
      }
    }
  });

  it('lose what a preset does not train, and with one choice left all of an axis', () => {
    expect(axesOfPreset('laptop').map(({ id }) => id)).toEqual(['patches', 'layer', 'objective', 'mixup']);
    expect(axesOfPreset('smoke', null).map(({ id }) => id)).toEqual(['patches']);
  });
});

describe('ablationOf', () => {
  it('takes the first measurement that has the encoder, read at its output', () => {
    const choice = (id: string, layer: number | null) => ({ encoder: { id }, layer, label: `${id} ${layer}` });
    const of = (preset: string, ...choices: ReturnType<typeof choice>[]) =>
      ({ preset, axes: [{ choices }] }) as unknown as AblationMeasurement;
    const own = of('laptop', choice('a', 1), choice('a', null));
    const study = of('study', choice('a', null), choice('b', null));
    expect(ablationOf('a', [own, study])).toMatchObject({ preset: 'laptop', label: 'a null' });
    expect(ablationOf('b', [own, study])).toMatchObject({ preset: 'study' });
    expect(ablationOf('b', [own, null])).toBeNull();
  });
});
