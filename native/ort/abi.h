// The slice of ONNX Runtime's C ABI that this room calls, declared by slot: no header of theirs is needed to build. The
// ABI only ever grows at its end, and a test holds every line here against the official header wherever one is found.
#pragma once

#include <cstddef>
#include <cstdint>

// Opaque types, under ONNX Runtime's own names.
struct OrtApiBase;
struct OrtCustomHandleType;
struct OrtCustomOpDomain;
struct OrtEnv;
struct OrtGraph;
struct OrtKernelContext;
struct OrtKernelInfo;
struct OrtMemoryInfo;
struct OrtModel;
struct OrtModelEditorApi;
struct OrtNode;
struct OrtOpAttr;
struct OrtPrepackedWeightsContainer;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtTensorTypeAndShapeInfo;
struct OrtThreadingOptions;
struct OrtTypeInfo;
struct OrtValue;
struct OrtValueInfo;

namespace saferoute::ort {

// The version that is asked for: the first that has every function below.
inline constexpr uint32_t kApiVersion = 22;

enum class AllocatorType : int32_t { kDevice = 0 };
enum class AttributeType : int32_t { kInt = 1 };
enum class Characteristic : int32_t { kRequired = 0 };  // of an operator's input or output
enum class ElementType : int32_t { kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6 };
enum class ErrorKind : int32_t { kFail = 1 };
enum class LogLevel : int32_t { kError = 3, kFatal = 4 };
enum class MemoryType : int32_t { kDefault = 0 };
enum class Optimization : int32_t { kNone = 0 };

using ParallelBody = void (*)(void* user, size_t index);
using ThreadHandle = const OrtCustomHandleType*;
using ThreadWork = void (*)(void* argument);
using StartThread = ThreadHandle (*)(void* options, ThreadWork work, void* argument);
using JoinThread = void (*)(ThreadHandle thread);

// OrtAllocator, up to its last member of version 22.
struct Allocator {
  uint32_t version;
  void* (*alloc)(Allocator* self, size_t bytes);
  void (*free)(Allocator* self, void* memory);
  const OrtMemoryInfo* (*info)(const Allocator* self);
  void* (*reserve)(Allocator* self, size_t bytes);
};

// OrtCustomOp: an operator's schema and kernel, as callbacks.
struct CustomOp {
  uint32_t version;
  void* (*create_kernel)(const CustomOp* op, const void* api, const OrtKernelInfo* info);
  const char* (*name)(const CustomOp* op);
  const char* (*execution_provider)(const CustomOp* op);
  ElementType (*input_type)(const CustomOp* op, size_t index);
  size_t (*input_count)(const CustomOp* op);
  ElementType (*output_type)(const CustomOp* op, size_t index);
  size_t (*output_count)(const CustomOp* op);
  void (*compute)(void* kernel, OrtKernelContext* context);
  void (*destroy_kernel)(void* kernel);
  Characteristic (*input_characteristic)(const CustomOp* op, size_t index);
  Characteristic (*output_characteristic)(const CustomOp* op, size_t index);
  MemoryType (*input_memory_type)(const CustomOp* op, size_t index);
  int (*variadic_input_min_arity)(const CustomOp* op);
  int (*variadic_input_homogeneity)(const CustomOp* op);
  int (*variadic_output_min_arity)(const CustomOp* op);
  int (*variadic_output_homogeneity)(const CustomOp* op);
  OrtStatus* (*create_kernel_v2)(const CustomOp* op, const void* api, const OrtKernelInfo* info, void** kernel);
  OrtStatus* (*compute_v2)(void* kernel, OrtKernelContext* context);
  OrtStatus* (*infer_output_shape)(const CustomOp* op, void* context);
  int (*start_version)(const CustomOp* op);
  int (*end_version)(const CustomOp* op);
  size_t (*may_inplace)(int** inputs, int** outputs);
  void (*release_may_inplace)(int* inputs, int* outputs);
  size_t (*alias_map)(int** inputs, int** outputs);
  void (*release_alias_map)(int* inputs, int* outputs);
};

// A function of OrtApi, or of OrtModelEditorApi: where it stands in the table, and its signature.
template <typename Signature>
struct Slot {
  size_t index;
};
template <typename Signature>
struct EditorSlot {
  size_t index;
};

}  // namespace saferoute::ort
