/**
 * keys/: the 24 keys (the one list, the one order), their relations, the MIREX score by both rulers, error taxonomy, the
 * key over time.
 * Imports no other room. `reference` always stands before `estimated`.
 */
export {
  assertKeyId,
  CIRCLE_OF_FIFTHS,
  type Key,
  keyOf,
  KEYS,
  type Mode,
  NUM_KEYS,
  parseKey,
  transposeKey,
} from './key.js';
export {
  KEY_TRANSITIONS,
  type KeysOverTime,
  keysOverTime,
  type KeyTransitions,
  type Modulation,
  transitionMatrix,
  transitionsFor,
  UNIFORM_TRANSITIONS,
} from './overTime.js';
export {
  confusionMatrix,
  type ErrorKind,
  type ErrorTaxonomy,
  errorTaxonomy,
  type KeyScore,
  mirexMatrix,
  mirexScore,
  type Relation,
  relation,
  type Ruler,
  scoreKeys,
  type Shares,
} from './score.js';
export { type CsvScore, scoreCsv } from './scoreCsv.js';
export { parseWheelCode } from './wheelCodes.js';
