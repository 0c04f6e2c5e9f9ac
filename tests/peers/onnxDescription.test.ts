import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../lib/src/errors.js';
import { OnnxGraph } from '../../lib/src/exporting/onnxModel.js';
import { KEYS } from '../../lib/src/keys/index.js';
import { MEL } from '../../lib/src/mel/index.js';
import {
  KEY_ORDERS,
  ONNX_PRESETS,
  onnxDescription,
  onnxMetadata,
  readOnnxDescription,
} from '../../lib/src/peers/index.js';
import type { OnnxInput } from '../../lib/src/peers/index.js';
import type { OnnxPort } from '../../lib/src/peers/onnxRuntime.js';
import { inputLayout, outputName } from '../../lib/src/peers/onnxShapes.js';

const dir = mkdtempSync(join(tmpdir(), 'keymyna-onnx-description-'));
const at = (name: string): string => join(dir, name);
afterAll(() => rmSync(dir, { recursive: true }));

const describe_ = (json: unknown, metadata: Record<string, string> = {}) => onnxDescription(json, metadata, 'm.json');
const audio = { kind: 'audio', sampleRate: 16000, clip: 100000 };
const output = { keys: 'interleaved', values: 'logits' };

describe('descriptions', () => {
  it('of audio, with everything that is not said at its default', () => {
    expect(describe_({ source: 'mine', input: audio, output })).toEqual({
      input: { kind: 'audio', name: null, axes: null, sampleRate: 16000, clip: 100000, hop: null, normalize: 'none' },
      output: { name: null, keys: KEYS.map(({ id }) => id), values: 'logits', temperature: 1 },
    });
  });

  it('of mel, with another setting than ours', () => {
    const { input } = describe_({
      input: {
        kind: 'mel',
        scale: 'log1p',
        clip: 'track',
        config: { nMels: 96, hopLength: 256 },
        axes: ['frames', 'bands'],
      },
      output,
    });
    expect(input).toMatchObject({
      config: { ...MEL, nMels: 96, hopLength: 256 },
      clip: 'track',
      axes: ['frames', 'bands'],
    });
  });

  it('of embeddings, the encoder beside the description', () => {
    const { input } = onnxDescription(
      { preset: 'keymyna-head', input: { weights: 'e.safetensors' } },
      {},
      'models/m.json',
    );
    expect(input).toMatchObject({ kind: 'embedding', weights: join('models', 'e.safetensors') });
  });

  it('the file goes before the preset, the preset before the model’s metadata', () => {
    const metadata = {
      keys: JSON.stringify(KEY_ORDERS.interleaved),
      melConfig: JSON.stringify(MEL),
      melScale: 'log1p',
      temperature: '1.5',
      clipHop: '98',
    };
    const own = describe_({}, metadata);
    expect(own.input).toMatchObject({ kind: 'mel', scale: 'log1p', config: MEL, clip: null });
    expect(own.output).toMatchObject({ temperature: 1.5, values: 'logits' });
    expect(own.input).toMatchObject({ hop: 98 });
    expect(describe_({ preset: 'keymyna' }, metadata).input).toMatchObject({ scale: 'power' });
    const file = { preset: 'keymyna', input: { scale: 'log1p', hop: 98 }, output: { keys: 'majorThenMinor' } };
    expect(describe_(file, metadata)).toMatchObject({
      input: { scale: 'log1p', hop: 98 },
      output: { temperature: 1.5 },
    });
    // Another kind of input takes nothing over from what it replaces.
    expect(describe_({ input: audio }, metadata).input).not.toHaveProperty('scale');
  });

  it('every preset that needs no file of its own is whole, and names each key once', () => {
    for (const preset of Object.keys(ONNX_PRESETS)) {
      const more = preset === 'keymyna-head' ? { input: { weights: 'e' } } : {};
      const { output: of } = describe_({ preset, ...more });
      expect([...of.keys].sort((a, b) => a! - b!)).toEqual(KEYS.map(({ id }) => id));
    }
    const { keys } = describe_({ preset: 'skey' }).output;
    expect([0, 3, 11, 12, 22, 23].map((place) => KEYS[keys[place]!].label)).toEqual(
      ['A major', 'C major', 'Ab major', 'B minor', 'A minor', 'Bb minor'], // its own key_map
    );
    expect(KEYS.filter((_, i) => i % 2 === 0).map(({ label }) => label)).toEqual(
      KEY_ORDERS.majorThenMinor.slice(0, 12),
    );
  });

  it('classes that are no key may stand among the keys', () => {
    const keys = [...KEY_ORDERS.majorThenMinor, null];
    expect(describe_({ input: audio, output: { keys, values: 'probabilities' } }).output.keys.at(24)).toBeNull();
  });

  it.each<[unknown, RegExp]>([
    [[], /m\.json: the file is \[\]; expected an object/],
    [{ inputs: {} }, /unknown field "inputs"; known are preset, source, input, output/],
    [{ preset: 'toString' }, /preset is "toString"; expected one of keymyna, keymyna-head, skey/],
    [{ output }, /input\.kind is missing; expected one of audio, mel, embedding/],
    [{ input: { kind: 'cqt' }, output }, /input\.kind is "cqt"/],
    [{ input: { ...audio, scale: 'power' }, output }, /input of kind audio has the unknown field "scale"/],
    [{ input: { ...audio, sampleRate: 44.1 }, output }, /input\.sampleRate is 44\.1; expected a whole number of Hz/],
    [{ input: { ...audio, clip: 0 }, output }, /input\.clip is 0; expected a whole number of samples or frames/],
    [{ input: { ...audio, axes: ['time', 'batch'] }, output }, /input\.axes .* batch first/],
    [{ input: { ...audio, axes: ['batch'] }, output }, /input\.axes/],
    [{ input: { kind: 'mel', clip: 8 }, output }, /input\.scale is missing; expected one of power, log1p/],
    [{ input: { kind: 'mel', scale: 'power', config: { nFft: 1000 } }, output }, /input\.config\.nFft is 1000/],
    [{ input: { kind: 'mel', scale: 'power', config: { nMels: 1e9 } }, output }, /input\.config\.nMels/],
    [{ input: { kind: 'embedding' }, output }, /input\.weights is missing; expected the path of the encoder/],
    [{ input: audio }, /output\.keys is missing; expected interleaved, majorThenMinor, or a list/],
    [{ input: audio, output: { keys: 'interleaved' } }, /output\.values is missing/],
    [{ input: audio, output: { ...output, keys: ['C'] } }, /output\.keys\[0\] is "C"; expected a key/],
    [{ input: audio, output: { ...output, keys: KEY_ORDERS.interleaved.slice(1) } }, /has C major 0 times/],
    [{ input: audio, output: { ...output, keys: [...KEY_ORDERS.interleaved, 'A#m'] } }, /has Bb minor 2 times/],
    [{ input: audio, output: { ...output, temperature: 0 } }, /output\.temperature is 0/],
  ])('%j is refused', (json, message) => expect(() => describe_(json)).toThrow(message));

  it('a model without any is refused with what to write, and what it says itself is taken', () => {
    const path = at('bare.onnx');
    expect(() => readOnnxDescription(path, {})).toThrow(
      /bare\.onnx: nothing says what goes into this model.*bare\.onnx\.json/,
    );
    expect(readOnnxDescription(path, { keys: JSON.stringify(KEY_ORDERS.interleaved), melConfig: JSON.stringify(MEL) })).toMatchObject({ input: { kind: 'mel' } }); // prettier-ignore
    writeFileSync(at('bare.json'), JSON.stringify({ preset: 'skey' }));
    expect(readOnnxDescription(path, {}).input).toMatchObject({ sampleRate: 22050, clip: 'track', normalize: 'peak' });
    writeFileSync(at('bare.onnx.json'), JSON.stringify({ preset: 'keymyna' })); // goes before
    expect(readOnnxDescription(path, {}).input).toMatchObject({ kind: 'mel' });
    expect(() => readOnnxDescription(at('x.onnx'), { keys: '[' })).toThrow(/metadata entry keys is no JSON/);
  });
});

describe('what a model’s shape tells', () => {
  const port = (shape: (number | string)[], type = 'float32'): OnnxPort => ({ name: 'x', isTensor: true, type, shape });
  const mel = (more: Record<string, unknown> = {}): OnnxInput =>
    describe_({ input: { kind: 'mel', scale: 'power', ...more }, output }).input;
  const sound = (more: Record<string, unknown> = {}): OnnxInput =>
    describe_({ input: { kind: 'audio', sampleRate: 16000, ...more }, output }).input;
  const layout = (input: OnnxInput, shape: (number | string)[]) =>
    inputLayout('m.onnx', port(shape), input, { bands: 128 });

  it.each([
    [['batch', 128, 196], 'batch bands frames', 196],
    [['n', 196, 128], 'batch frames bands', 196],
    [[1, 1, 128, 98], 'batch channel bands frames', 98],
    [[128, 10], 'bands frames', 10],
  ])('mel %j', (shape, axes, clip) => {
    const found = layout(mel(), shape);
    expect([found.axes.join(' '), found.clip]).toEqual([axes, clip]);
  });

  it('audio, batches, and clips of any length by the description', () => {
    expect(layout(sound(), ['n', 100000])).toEqual({
      axes: ['batch', 'time'],
      clip: 100000,
      batch: 16,
      isBatchFixed: false,
    });
    expect(layout(sound({ clip: 50 }), [4, 1, 'time'])).toMatchObject({ clip: 50, batch: 4, isBatchFixed: true });
    expect(layout(sound({ clip: 'track' }), ['n', 'time'])).toMatchObject({ clip: null, batch: 1 });
    expect(layout(sound({ axes: ['channel', 'time'] }), [1, 9])).toMatchObject({ clip: 9, batch: 1 });
  });

  it('embeddings, by their width', () => {
    const input = describe_({ input: { kind: 'embedding', weights: 'e' }, output }).input;
    expect(inputLayout('m', port(['n', 384]), input, { width: 384 }).axes).toEqual(['batch', 'width']);
    expect(() => inputLayout('m', port(['n', 384]), input, { width: 32 })).toThrow(
      /width 384; what is fed has width 32/,
    );
  });

  it.each<[string, () => unknown, RegExp]>([
    ['free lengths', () => layout(sound(), ['n', 'time']), /nothing says how long those were.*"clip"/],
    [
      'two clip lengths',
      () => layout(sound({ clip: 5 }), ['n', 7]),
      /takes clips of 7 samples; the description says 5/,
    ],
    ['128 by 128', () => layout(mel(), ['n', 128, 128]), /does not tell what is what .* "axes"/],
    ['no fixed bands', () => layout(mel({ clip: 5 }), ['n', 'm', 't']), /does not tell what is what/],
    ['no shape', () => layout(mel({ clip: 5 }), []), /does not tell/],
    ['two channels', () => layout(sound(), ['n', 2, 100]), /channel 2; what is fed has channel 1/],
    ['other bands', () => layout(mel({ axes: ['batch', 'bands', 'frames'] }), ['n', 96, 8]), /bands 96; what is fed has bands 128/], // prettier-ignore
    ['too many axes', () => layout(sound(), [1, 1, 1, 9]), /does not tell what is what/],
    ['other axes', () => layout(sound({ axes: ['time'] }), [1, 9]), /\[1, 9\], but the description has the axes time/],
    ['whole numbers', () => inputLayout('m', port([1, 9], 'int64'), sound(), {}), /takes int64; only float32/],
  ])('%s are refused', (_, act, message) => expect(act).toThrow(message));

  it('the output is the described, the only one, or logits; its last dimension has the classes', () => {
    const of = (names: string[], shape: (number | string)[] = ['n', 24], name?: string): string =>
      outputName('m', names.map((one) => ({ name: one, isTensor: true, shape })), describe_({ input: audio, output: { ...output, name } })); // prettier-ignore
    expect(of(['anything'])).toBe('anything');
    expect(of(['embedding', 'logits'])).toBe('logits');
    expect(of(['a', 'b'], ['n', 't', 24], 'b')).toBe('b');
    expect(() => of(['a', 'b'])).toThrow(/has the outputs a, b; put the "name"/);
    expect(() => of(['a'], ['n', 12])).toThrow(/\[n, 12\]; the description has 24 classes/);
  });
});

describe('metadata of a model', () => {
  const graph = new OnnxGraph();
  graph.add('Identity', ['x'], {}, 'y');
  const ports = [{ name: 'x', shape: ['n', 24] }];
  const entries = { keys: '["ü"]', empty: '', long: 'x'.repeat(3000) };
  const bytes = graph.model('m', ports, [{ name: 'y', shape: ['n', 24] }], entries);
  const read = (contents: Uint8Array): Record<string, string> => {
    writeFileSync(at('m.onnx'), contents);
    return onnxMetadata(at('m.onnx'));
  };

  it('is read as it was written', () => {
    expect(read(bytes)).toEqual(entries);
    expect(read(graph.model('m', ports, ports, {}))).toEqual({});
  });

  it.each([
    ['a text', new TextEncoder().encode('no model at all, but a text')],
    ['nothing', new Uint8Array(0)],
    ['a model cut off', bytes.subarray(0, bytes.length - 10)],
    ['a length beyond the file', Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f)],
    ['an endless number', new Uint8Array(64).fill(0xff)],
    ['a million small fields', new Uint8Array(2_000_000).fill(0x08)],
  ])('%s is refused', (_, contents) => expect(() => read(contents)).toThrow(/m\.onnx: this is no ONNX model/));

  it('never anything but an InputError from damaged bytes', () => {
    const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(damage, fc.nat(bytes.length), (changes, length) => {
        const copy = bytes.slice(0, length > bytes.length / 2 ? length : bytes.length);
        for (const [place, value] of changes) copy[place % copy.length] = value;
        try {
          read(copy);
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      }),
      { numRuns: 300 },
    );
    expect(readFileSync(at('m.onnx')).length).toBeGreaterThan(0);
  });
});
