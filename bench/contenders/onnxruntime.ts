// onnxruntime-node: the router as a user would run it, and the GEMMs of a guard's layers alone, which is the ceiling of this machine.
import { gemmInputs, gemmModel } from '../onnx/gemm-graph.js';
import { routerModel } from '../onnx/router-graph.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, timeInTurn, type Work } from './contender.js';
import { importOptional } from './optional-module.js';

/** The part of onnxruntime-node that is used, so that the bench can be type-checked without it. */
interface OnnxRuntimeNode {
  InferenceSession: { create(model: string | Uint8Array, options: object): Promise<Session> };
  Tensor: new (type: string, data: Float32Array | Uint8Array, dims: number[]) => object;
  env: { versions: { node?: string; common: string } };
}

interface Session {
  run(feeds: Record<string, object>): Promise<unknown>;
  release(): Promise<void>;
}

const kFeatureSize = 2048;

/** Layers in the graph that gives the machine's ceiling: enough that no cache holds their weights. */
export const kCeilingLayers = 4;

/**
 * What `weights` may say for this engine: the router; GEMMs of a few layers, the machine's ceiling; GEMMs of all layers, beside which
 * a whole prefill is put.
 */
type OnnxWork = 'router' | 'int8' | 'f32' | 'int8-all-layers';

export async function openOnnxRuntime(setup: Setup): Promise<Contender> {
  const { InferenceSession, Tensor, env } = await importOptional<OnnxRuntimeNode>('onnxruntime-node');
  const options = { intraOpNumThreads: setup.threads, interOpNumThreads: 1, executionProviders: ['cpu'] };
  const session = await InferenceSession.create(modelOf(setup), options);
  const shape = setup.guard === null ? null : kShapes[setup.guard as ShapeName];
  const run = async (work: Work): Promise<Sample> => {
    if (work.kind === 'route') {
      return timeInTurn(work.features, (feature) =>
        session.run({ feature: new Tensor('float32', feature, [1, feature.length]) }),
      );
    }
    if (work.kind !== 'multiply' || shape === null) return refuse('onnxruntime-node', work);
    const { tokens } = work;
    const feeds = gemmInputs(shape).map((width) => [`x${width}`, activations(Tensor, setup, tokens, width)] as const);
    return timeInTurn([Object.fromEntries(feeds)], (inputs) => session.run(inputs));
  };
  const facts = { version: env.versions.node ?? env.versions.common, threads: setup.threads };
  return { facts, run, close: () => session.release() };
}

function modelOf({ weights, guard }: Setup): string | Uint8Array {
  const work = weights as OnnxWork;
  if (work === 'router') return routerModel(kFeatureSize);
  const shape = kShapes[guard as ShapeName];
  if (work === 'int8-all-layers') return gemmModel(shape, 'int8', shape.layers);
  return gemmModel(shape, work, kCeilingLayers);
}

/** `(tokens, width)`; no two rows alike. */
function activations(Tensor: OnnxRuntimeNode['Tensor'], { weights }: Setup, tokens: number, width: number): object {
  const count = tokens * width;
  if (weights !== 'f32')
    return new Tensor(
      'uint8',
      Uint8Array.from({ length: count }, (_, at) => at * 131),
      [tokens, width],
    );
  return new Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, at) => ((at * 131) % 255) / 255 - 0.5),
    [tokens, width],
  );
}
