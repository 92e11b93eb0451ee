// A router of the official network (arXiv 2502.12464: Linear, LayerNorm, ReLU twice, then Linear) with random weights.
import { cached } from './cache-directory.js';
import { normalValues } from './random-values.js';
import { type GeneratedTensor, tensorBytes, writeSafetensors } from './safetensors.js';

export const kRouterWidth = 512; // of both inner layers

const kDeviation = 0.03;
const kBlockValues = 100_003;

/** Path of the router's safetensors file for features of `featureSize` values, generated on first use. */
export function routerFile(featureSize: number): string {
  const bytes = routerTensors(featureSize).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  return cached(`routers/official-${featureSize}.safetensors`, bytes, (path) => {
    writeSafetensors(path, routerTensors(featureSize));
  });
}

function routerTensors(featureSize: number): GeneratedTensor[] {
  const weights = bytesOf(normalValues(kBlockValues, kDeviation, 2));
  const ones = bytesOf(new Float32Array(kRouterWidth).fill(1));
  const tensor = (name: string, block: Uint8Array, ...shape: number[]): GeneratedTensor => ({
    name,
    dtype: 'F32',
    shape,
    block,
  });
  const linear = (at: number, outputs: number, inputs: number) => [
    tensor(`cls.${at}.weight_mu`, weights, outputs, inputs),
    tensor(`cls.${at}.bias_mu`, weights, outputs),
  ];
  const layerNorm = (at: number) => [
    tensor(`cls.${at}.weight`, ones, kRouterWidth),
    tensor(`cls.${at}.bias`, weights, kRouterWidth),
  ];
  return [
    ...linear(0, kRouterWidth, featureSize),
    ...layerNorm(1),
    ...linear(3, kRouterWidth, kRouterWidth),
    ...layerNorm(4),
    ...linear(6, 1, kRouterWidth),
  ];
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
