/** TensorFlow.js core under one name, so that every room shares one instance with all gradients registered. */
// First, so that the engine and its tensors are core's own; the gradients' bundle joins them.
import '@tensorflow/tfjs-core';
import '#gradients';

export * as tf from '@tensorflow/tfjs-core';
