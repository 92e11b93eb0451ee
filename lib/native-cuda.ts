/** What the addon says of the GPU: part of the contract of `native.ts`. */

/** Mirrors `CudaState`. */
export interface NativeCudaDevice {
  /** Whether a driver of NVIDIA's is installed. Without one nothing of CUDA is loaded. */
  driver: boolean;
  /** Why no guard can run there; null where guards can. */
  problem: string | null;
  facts: NativeCudaFacts | null;
}

/** Mirrors `cuda::DeviceFacts`. */
export interface NativeCudaFacts {
  name: string;
  computeMajor: number;
  computeMinor: number;
  multiprocessors: number;
  memoryBytes: number;
  /** When asked. */
  freeBytes: number;
  /** The newest CUDA that the driver serves, the one that this build is of, and the cuBLASLt that was found: "13.0". */
  driver: string;
  runtime: string;
  cublasLt: string;
  /** Whether products in FP8 are computed here. */
  fp8: boolean;
}

/** What a guard was given of a GPU's memory at load. */
export interface NativeGpuMemory {
  parts: { purpose: string; bytes: number; usedBytes: number }[];
  /** Of host memory, where weights are streamed from it. */
  pinnedBytes: number;
  /** What the caller should hear: what is streamed, or smaller than asked for; '' for nothing. */
  notice: string;
}
