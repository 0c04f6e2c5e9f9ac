/** TensorFlow.js core under one name, so that every room shares one instance with all gradients registered. */
import '#gradients';

export * as tf from '@tensorflow/tfjs-core';
