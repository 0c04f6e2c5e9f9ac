/**
 * Systems by name: `bgate`, `essentia:edma`, `onnx:model.onnx`, `model:encoder.safetensors+head.safetensors`,
 * `csv:estimates.csv`; `model` alone is the one that ships with the suite. After the colon a name of one's own may stand:
 * `onnx:skey=model.onnx`.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { InputError } from '../errors.js';
import { type KeyModelFiles, shippedModel } from '../predict/index.js';
import { fileSha256 } from '../store/index.js';
import type { KeyDetector } from './detector.js';
import { ESSENTIA_PROFILES, essentiaDetector, type EssentiaProfile } from './essentiaDetector.js';
import { MODEL_VERSION, modelDetector, modelIdentity } from './modelDetector.js';
import { readOnnxDescription } from './onnxDescription.js';
import { ONNX_VERSION, onnxDetector } from './onnxDetector.js';
import { onnxMetadata } from './onnxMetadata.js';
import { OPTIONAL_PACKAGES } from './optionalPackage.js';
import {
  TEMPLATE_NAMES,
  TEMPLATE_VERSION,
  templateDetector,
  type TemplateName,
  templateOf,
} from './templateDetector.js';

/** A system that hears audio. Plain data, so that a worker thread can be told of it. */
export type DetectorSpec =
  | { readonly kind: 'template'; readonly name: string; readonly template: TemplateName }
  | { readonly kind: 'essentia'; readonly name: string; readonly profile: EssentiaProfile }
  | { readonly kind: 'onnx'; readonly name: string; readonly path: string }
  | { readonly kind: 'model'; readonly name: string; readonly files: KeyModelFiles };

/** Estimates that another program wrote. @see readEstimates for what `name` chooses */
export interface EstimatesSpec {
  readonly kind: 'csv';
  readonly name: string | null;
  readonly path: string;
}

export type SystemSpec = DetectorSpec | EstimatesSpec;

const FORMS =
  `${TEMPLATE_NAMES.join(', ')}, essentia:PROFILE, onnx:[NAME=]MODEL.onnx, model, model:[NAME=]ENCODER+HEAD ` +
  `or csv:[NAME=]ESTIMATES.csv`;

/**
 * Reads one system.
 * @throws InputError listing the forms; for an unknown profile; for a file that is not there
 */
export function parseSystem(text: string): SystemSpec {
  const template = templateOf(text);
  if (template) return { kind: 'template', name: text, template };
  if (text === 'model') return { kind: 'model', name: text, files: shippedModel() };
  const [, kind, own, target] = /^([a-z]+):(?:([^=/\\]*)=)?(.*)$/s.exec(text) ?? [];
  if (kind === undefined || target === '' || own === '')
    throw new InputError('system', `found "${text}", expected one of ${FORMS}`);
  switch (kind) {
    case 'template': {
      const profile = templateOf(target);
      if (!profile) throw new InputError('system', `found "${text}"; templates are ${TEMPLATE_NAMES.join(', ')}`);
      return { kind, name: own ?? target, template: profile };
    }
    case 'essentia': {
      const profile = ESSENTIA_PROFILES.find((one) => one === target);
      if (!profile) throw new InputError('system', `found "${text}"; profiles are ${ESSENTIA_PROFILES.join(', ')}`);
      return { kind, name: own ?? text, profile };
    }
    case 'onnx':
      return { kind, name: own ?? basename(target, '.onnx'), path: existing(text, target) };
    case 'csv':
      return { kind, name: own ?? null, path: existing(text, target) };
    case 'model': {
      const [weights, head] = modelFiles(text, target);
      return { kind, name: own ?? basename(weights, '.safetensors'), files: { weights, head } };
    }
    default:
      throw new InputError('system', `found "${text}", expected one of ${FORMS}`);
  }
}

/** `encoder+head`, split at the plus between two paths that exist; one file may hold both. */
function modelFiles(text: string, target: string): [string, string] {
  if (existsSync(target)) return [target, target];
  for (let at = target.indexOf('+'); at >= 0; at = target.indexOf('+', at + 1)) {
    const files: [string, string] = [target.slice(0, at), target.slice(at + 1)];
    if (files.every((path) => existsSync(path))) return files;
  }
  const missing = target.split('+').filter((path) => !existsSync(path));
  throw new InputError(`system ${text}`, `there is no ${missing.join(' and no ')}; expected ENCODER+HEAD, two paths`);
}

function existing(text: string, path: string): string {
  if (!existsSync(path)) throw new InputError(`system ${text}`, `there is no file ${path}; check the path`);
  return path;
}

/** Makes the detector of a system. @throws InputError if a package or a file that it needs is missing or does not fit */
export async function openDetector(spec: DetectorSpec): Promise<KeyDetector> {
  switch (spec.kind) {
    case 'template':
      return templateDetector(spec.name, spec.template);
    case 'essentia':
      return essentiaDetector(spec.name, spec.profile);
    case 'onnx':
      return onnxDetector(spec.name, spec.path);
    case 'model':
      return modelDetector(spec.name, spec.files);
  }
}

/** All that a system's answers depend on but the audio; not its name. Files by their contents. */
export async function identityOf(spec: DetectorSpec): Promise<unknown> {
  switch (spec.kind) {
    case 'template':
      return { template: spec.template, version: TEMPLATE_VERSION };
    case 'essentia':
      return { essentia: spec.profile, version: OPTIONAL_PACKAGES['essentia.js'] };
    case 'model':
      return { model: await modelIdentity(spec.files), version: MODEL_VERSION };
    case 'onnx': {
      const { input, output } = readOnnxDescription(spec.path, onnxMetadata(spec.path));
      const encoder = input.kind === 'embedding' ? await fileSha256(input.weights) : null;
      return { onnx: await fileSha256(spec.path), input, output, encoder, version: ONNX_VERSION };
    }
  }
}
