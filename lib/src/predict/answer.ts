/** What stays of a prediction when thousands of files are asked: plain values that survive JSON. */
import type { KeyModel } from './model.js';
import { keyCourse, type KeySection } from './overTime.js';
import { type KeyPrediction, predictFile, type PredictOptions } from './predict.js';

export interface KeyAnswer extends Omit<KeyPrediction, 'file' | 'clips' | 'moments' | 'probabilities'> {
  /** [24], in the order of the keys */
  readonly probabilities: readonly number[];
  /** Stretches of one key, where they were asked for. */
  readonly sections?: readonly KeySection[];
}

export interface AnswerOptions extends PredictOptions {
  /** Whether to smooth the keys over time, too. */
  readonly overTime?: boolean;
}

/** As `predictFile`, without the clips. */
export async function answerFile(
  model: KeyModel,
  path: string,
  { overTime = false, ...options }: AnswerOptions = {},
): Promise<KeyAnswer> {
  const prediction = await predictFile(model, path, options);
  const { keyId, secondKeyId, confidence, probabilities, durationSeconds } = prediction;
  const answer = { keyId, secondKeyId, confidence, probabilities: [...probabilities], durationSeconds };
  return overTime ? { ...answer, sections: keyCourse(prediction, model.temperature).sections } : answer;
}
