/** Task for a worker thread; plain JavaScript, so that threads run the file as it is. */
import { applyAugmentation } from '../../../lib/dist/audio/index.js';
import { createRng } from '../../../lib/dist/tensor/index.js';

export const augment = (samples) => (augmentation) => applyAugmentation(samples, augmentation, createRng('thread'));
