/** Whether a file of a grid's folder is what its name says; a person may have copied, cut or changed it. */
import { InputError } from '../errors.js';
import { NUM_KEYS } from '../keys/index.js';
import { configId } from '../store/index.js';
import { type ProbeConfig, probeConfig } from './config.js';
import type { GridRun, GridTests } from './gridFiles.js';

type Fields = Readonly<Record<string, unknown>>;
type Check = (field: string, isValid: boolean, expected: string, found: unknown) => void;

/** A run's file, every field checked. @throws InputError naming file, field, what was found, what to do */
export function checkedRun(path: string, file: unknown, id: string): GridRun {
  const check = checkOf(path);
  const run = fieldsOf(check, 'the file', file);
  checkIds(check, run, id);
  const config = fieldsOf(check, 'config', run.config);
  let found: string | null = null;
  try {
    found = configId(probeConfig(config as Partial<ProbeConfig>));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  check('config', found === id, `the configuration ${id}`, found ?? config);
  const history = run.history;
  check('history', Array.isArray(history) && history.length > 0, 'one entry an epoch', history);
  (history as unknown[]).forEach((one, epoch) => {
    const { trainLoss, selectionScore } = fieldsOf(check, `history[${epoch}]`, one);
    check(`history[${epoch}].trainLoss`, isNumber(trainLoss), 'a number', trainLoss);
    check(`history[${epoch}].selectionScore`, isShare(selectionScore), 'a number from 0 to 1', selectionScore);
  });
  checkEpoch(check, 'epoch', run.epoch, (history as unknown[]).length);
  checkKeys(check, 'estimated', run.estimated);
  const score = fieldsOf(check, 'score', run.score);
  check('score.n', score.n === (run.estimated as unknown[]).length, 'as many as there are estimates', score.n);
  for (const name of ['weighted', 'weightedBothFifths', 'accuracy'])
    check(`score.${name}`, isShare(score[name]), 'a number from 0 to 1', score[name]);
  return file as GridRun;
}

/** A run's test file, every field checked. @throws InputError as `checkedRun` */
export function checkedTests(path: string, file: unknown, id: string): GridTests {
  const check = checkOf(path);
  const tests = fieldsOf(check, 'the file', file);
  checkIds(check, tests, id);
  for (const [name, value] of Object.entries(fieldsOf(check, 'splits', tests.splits))) {
    const field = `splits.${name}`;
    const split = fieldsOf(check, field, value);
    checkKeys(check, `${field}.estimated`, split.estimated);
    const byTest = fieldsOf(check, `${field}.chosenByTest`, split.chosenByTest);
    checkEpoch(check, `${field}.chosenByTest.epoch`, byTest.epoch, Infinity);
    checkKeys(check, `${field}.chosenByTest.estimated`, byTest.estimated);
  }
  return file as GridTests;
}

function checkOf(path: string): Check {
  return (field, isValid, expected, found) => {
    if (isValid) return;
    const text = JSON.stringify(found) ?? 'nothing';
    const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
    throw new InputError(path, `${field} is ${shown}; expected ${expected}. Delete the file and run the grid again`);
  };
}

function fieldsOf(check: Check, field: string, value: unknown): Fields {
  check(field, typeof value === 'object' && value !== null && !Array.isArray(value), 'an object', value);
  return value as Fields;
}

function checkIds(check: Check, file: Fields, id: string): void {
  check('configId', file.configId === id, `"${id}", as the file is named`, file.configId);
  check('dataId', typeof file.dataId === 'string', 'the name of the data', file.dataId);
}

function checkEpoch(check: Check, field: string, value: unknown, epochs: number): void {
  const expected = epochs === Infinity ? 'a whole number of at least 0' : `a whole number from 0 to ${epochs - 1}`;
  check(field, Number.isInteger(value) && Number(value) >= 0 && Number(value) < epochs, expected, value);
}

function checkKeys(check: Check, field: string, value: unknown): void {
  const isKey = (one: unknown): boolean => Number.isInteger(one) && Number(one) >= 0 && Number(one) < NUM_KEYS;
  check(field, Array.isArray(value) && value.length > 0 && value.every(isKey), 'key ids from 0 to 23', value);
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value);
}

function isShare(value: unknown): boolean {
  return isNumber(value) && Number(value) >= 0 && Number(value) <= 1;
}
