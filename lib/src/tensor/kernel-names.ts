/** Names of the suite's own kernels in TensorFlow.js' registry. */
export const KERNEL = {
  linear: 'KeymynaLinear',
  columnSums: 'KeymynaColumnSums',
  layerNorm: 'KeymynaLayerNorm',
  layerNormGrad: 'KeymynaLayerNormGrad',
  gelu: 'KeymynaGelu',
  geluGrad: 'KeymynaGeluGrad',
  geluAndGrad: 'KeymynaGeluAndGrad',
  attention: 'KeymynaAttention',
  attentionGrad: 'KeymynaAttentionGrad',
  groupMeans: 'KeymynaGroupMeans',
  groupMeansGrad: 'KeymynaGroupMeansGrad',
  adam: 'KeymynaAdam',
  copy: 'KeymynaCopy',
} as const;
