// Holds our slice of ONNX Runtime's C ABI against the official header, where CMake found one: every slot and its
// signature, every member of the structs that we fill in, every enum value.
#include <gtest/gtest.h>

#include "ort/slots.h"

#if __has_include(<onnxruntime_c_api.h>)

#include <cstddef>
#include <fstream>
#include <string>
#include <type_traits>

#include <onnxruntime_c_api.h>

namespace saferoute::ort {
namespace {

// Same size and kind on both sides of a call. Our structs stand for theirs, and void for a type that we never look
// into.
template <typename Ours, typename Theirs>
struct SameAbi : std::is_same<Ours, Theirs> {};
template <typename Ours, typename Theirs>
  requires(std::is_enum_v<Ours> && std::is_enum_v<Theirs>)
struct SameAbi<Ours, Theirs> : std::bool_constant<sizeof(Ours) == sizeof(Theirs)> {};
template <typename Theirs>
  requires std::is_class_v<Theirs>
struct SameAbi<void, Theirs> : std::true_type {};
template <>
struct SameAbi<CustomOp, OrtCustomOp> : std::true_type {};
template <>
struct SameAbi<Allocator, OrtAllocator> : std::true_type {};
template <typename Ours, typename Theirs>
struct SameAbi<Ours*, Theirs*>
    : std::bool_constant<std::is_const_v<Ours> == std::is_const_v<Theirs> &&
                         SameAbi<std::remove_const_t<Ours>, std::remove_const_t<Theirs>>::value> {};
template <typename R, typename... P, typename S, typename... Q>
  requires(sizeof...(P) == sizeof...(Q))
struct SameAbi<R(P...), S(Q...)> : std::bool_constant<SameAbi<R, S>::value && (SameAbi<P, Q>::value && ...)> {};
template <typename R, typename... P, typename S, typename... Q>
struct SameAbi<R(P...), S(Q...) noexcept> : SameAbi<R(P...), S(Q...)> {};

template <typename Signature, typename Theirs>
constexpr bool same_abi(Slot<Signature>, Theirs*) {
  return SameAbi<Signature, Theirs>::value;
}
template <typename Signature, typename Theirs>
constexpr bool same_abi(EditorSlot<Signature>, Theirs*) {
  return SameAbi<Signature, Theirs>::value;
}

#define EXPECT_SLOT(slot, table, member)                                                    \
  static_assert(same_abi(slot, decltype(table::member)(nullptr)), "signature of " #member); \
  EXPECT_EQ((slot).index * sizeof(void*), offsetof(table, member)) << "slot of " #member;   \
  ++checked

#define EXPECT_RELEASE(type, member) EXPECT_SLOT(release_slot(static_cast<const type*>(nullptr)), OrtApi, member)

#define EXPECT_MEMBER(ours, our_member, theirs, their_member)                                               \
  static_assert(SameAbi<decltype(ours::our_member), decltype(theirs::their_member)>::value, #their_member); \
  EXPECT_EQ(offsetof(ours, our_member), offsetof(theirs, their_member)) << #their_member

size_t slots_declared() {
  std::ifstream file(SAFEROUTE_SLOTS_HEADER);
  size_t count = 0;
  for (std::string line; std::getline(file, line);) {
    for (const char* start : {"inline constexpr Slot<", "inline constexpr EditorSlot<", "constexpr Slot<"}) {
      count += line.starts_with(start);
    }
  }
  return count;
}

TEST(ApiAbi, SlotsAreThoseOfTheOfficialHeader) {
  size_t checked = 0;
  EXPECT_SLOT(kCreateStatus, OrtApi, CreateStatus);
  EXPECT_SLOT(kGetErrorMessage, OrtApi, GetErrorMessage);
  EXPECT_SLOT(kCreateThreadingOptions, OrtApi, CreateThreadingOptions);
  EXPECT_SLOT(kSetGlobalIntraOpNumThreads, OrtApi, SetGlobalIntraOpNumThreads);
  EXPECT_SLOT(kSetGlobalInterOpNumThreads, OrtApi, SetGlobalInterOpNumThreads);
  EXPECT_SLOT(kSetGlobalSpinControl, OrtApi, SetGlobalSpinControl);
  EXPECT_SLOT(kSetGlobalCustomCreateThreadFn, OrtApi, SetGlobalCustomCreateThreadFn);
  EXPECT_SLOT(kSetGlobalCustomJoinThreadFn, OrtApi, SetGlobalCustomJoinThreadFn);
  EXPECT_SLOT(kCreateEnvWithGlobalThreadPools, OrtApi, CreateEnvWithGlobalThreadPools);

  EXPECT_SLOT(kCreateSessionOptions, OrtApi, CreateSessionOptions);
  EXPECT_SLOT(kDisableMemPattern, OrtApi, DisableMemPattern);
  EXPECT_SLOT(kSetSessionGraphOptimizationLevel, OrtApi, SetSessionGraphOptimizationLevel);
  EXPECT_SLOT(kSetIntraOpNumThreads, OrtApi, SetIntraOpNumThreads);
  EXPECT_SLOT(kCreateCustomOpDomain, OrtApi, CreateCustomOpDomain);
  EXPECT_SLOT(kCustomOpDomainAdd, OrtApi, CustomOpDomain_Add);
  EXPECT_SLOT(kAddCustomOpDomain, OrtApi, AddCustomOpDomain);
  EXPECT_SLOT(kDisablePerSessionThreads, OrtApi, DisablePerSessionThreads);
  EXPECT_SLOT(kSessionOptionsSetLoadCancellationFlag, OrtApi, SessionOptionsSetLoadCancellationFlag);

  EXPECT_SLOT(kRun, OrtApi, Run);
  EXPECT_SLOT(kCreateRunOptions, OrtApi, CreateRunOptions);
  EXPECT_SLOT(kRunOptionsSetRunLogSeverityLevel, OrtApi, RunOptionsSetRunLogSeverityLevel);
  EXPECT_SLOT(kRunOptionsSetTerminate, OrtApi, RunOptionsSetTerminate);

  EXPECT_SLOT(kCreateTensorWithDataAsOrtValue, OrtApi, CreateTensorWithDataAsOrtValue);
  EXPECT_SLOT(kCreateTensorWithDataAndDeleterAsOrtValue, OrtApi, CreateTensorWithDataAndDeleterAsOrtValue);
  EXPECT_SLOT(kGetTensorMutableData, OrtApi, GetTensorMutableData);
  EXPECT_SLOT(kCreateTensorTypeAndShapeInfo, OrtApi, CreateTensorTypeAndShapeInfo);
  EXPECT_SLOT(kSetTensorElementType, OrtApi, SetTensorElementType);
  EXPECT_SLOT(kSetDimensions, OrtApi, SetDimensions);
  EXPECT_SLOT(kGetTensorShapeElementCount, OrtApi, GetTensorShapeElementCount);
  EXPECT_SLOT(kGetTensorTypeAndShape, OrtApi, GetTensorTypeAndShape);
  EXPECT_SLOT(kCreateCpuMemoryInfo, OrtApi, CreateCpuMemoryInfo);

  EXPECT_SLOT(kKernelContextGetInput, OrtApi, KernelContext_GetInput);
  EXPECT_SLOT(kKernelContextGetOutput, OrtApi, KernelContext_GetOutput);
  EXPECT_SLOT(kKernelContextParallelFor, OrtApi, KernelContext_ParallelFor);

  EXPECT_SLOT(kGetModelEditorApi, OrtApi, GetModelEditorApi);
  EXPECT_SLOT(kCreateOpAttr, OrtApi, CreateOpAttr);
  EXPECT_SLOT(kCreateTensorTypeInfo, OrtModelEditorApi, CreateTensorTypeInfo);
  EXPECT_SLOT(kCreateValueInfo, OrtModelEditorApi, CreateValueInfo);
  EXPECT_SLOT(kCreateNode, OrtModelEditorApi, CreateNode);
  EXPECT_SLOT(kCreateGraph, OrtModelEditorApi, CreateGraph);
  EXPECT_SLOT(kSetGraphInputs, OrtModelEditorApi, SetGraphInputs);
  EXPECT_SLOT(kSetGraphOutputs, OrtModelEditorApi, SetGraphOutputs);
  EXPECT_SLOT(kAddInitializerToGraph, OrtModelEditorApi, AddInitializerToGraph);
  EXPECT_SLOT(kAddNodeToGraph, OrtModelEditorApi, AddNodeToGraph);
  EXPECT_SLOT(kCreateModel, OrtModelEditorApi, CreateModel);
  EXPECT_SLOT(kAddGraphToModel, OrtModelEditorApi, AddGraphToModel);
  EXPECT_SLOT(kCreateModelEditorSessionFromArray, OrtModelEditorApi, CreateModelEditorSessionFromArray);
  EXPECT_SLOT(kApplyModelToModelEditorSession, OrtModelEditorApi, ApplyModelToModelEditorSession);
  EXPECT_SLOT(kFinalizeModelEditorSession, OrtModelEditorApi, FinalizeModelEditorSession);

  EXPECT_RELEASE(OrtEnv, ReleaseEnv);
  EXPECT_RELEASE(OrtStatus, ReleaseStatus);
  EXPECT_RELEASE(OrtMemoryInfo, ReleaseMemoryInfo);
  EXPECT_RELEASE(OrtSession, ReleaseSession);
  EXPECT_RELEASE(OrtValue, ReleaseValue);
  EXPECT_RELEASE(OrtRunOptions, ReleaseRunOptions);
  EXPECT_RELEASE(OrtTypeInfo, ReleaseTypeInfo);
  EXPECT_RELEASE(OrtTensorTypeAndShapeInfo, ReleaseTensorTypeAndShapeInfo);
  EXPECT_RELEASE(OrtSessionOptions, ReleaseSessionOptions);
  EXPECT_RELEASE(OrtCustomOpDomain, ReleaseCustomOpDomain);
  EXPECT_RELEASE(OrtThreadingOptions, ReleaseThreadingOptions);
  EXPECT_RELEASE(OrtOpAttr, ReleaseOpAttr);
  EXPECT_RELEASE(OrtValueInfo, ReleaseValueInfo);
  EXPECT_RELEASE(OrtNode, ReleaseNode);
  EXPECT_RELEASE(OrtGraph, ReleaseGraph);
  EXPECT_RELEASE(OrtModel, ReleaseModel);
  EXPECT_EQ(checked, slots_declared()) << "a slot of ort/slots.h is not held against the header here";
}

TEST(ApiAbi, StructsAreThoseOfTheOfficialHeader) {
  EXPECT_MEMBER(CustomOp, version, OrtCustomOp, version);
  EXPECT_MEMBER(CustomOp, create_kernel, OrtCustomOp, CreateKernel);
  EXPECT_MEMBER(CustomOp, name, OrtCustomOp, GetName);
  EXPECT_MEMBER(CustomOp, execution_provider, OrtCustomOp, GetExecutionProviderType);
  EXPECT_MEMBER(CustomOp, input_type, OrtCustomOp, GetInputType);
  EXPECT_MEMBER(CustomOp, input_count, OrtCustomOp, GetInputTypeCount);
  EXPECT_MEMBER(CustomOp, output_type, OrtCustomOp, GetOutputType);
  EXPECT_MEMBER(CustomOp, output_count, OrtCustomOp, GetOutputTypeCount);
  EXPECT_MEMBER(CustomOp, compute, OrtCustomOp, KernelCompute);
  EXPECT_MEMBER(CustomOp, destroy_kernel, OrtCustomOp, KernelDestroy);
  EXPECT_MEMBER(CustomOp, input_characteristic, OrtCustomOp, GetInputCharacteristic);
  EXPECT_MEMBER(CustomOp, output_characteristic, OrtCustomOp, GetOutputCharacteristic);
  EXPECT_MEMBER(CustomOp, input_memory_type, OrtCustomOp, GetInputMemoryType);
  EXPECT_MEMBER(CustomOp, variadic_input_min_arity, OrtCustomOp, GetVariadicInputMinArity);
  EXPECT_MEMBER(CustomOp, variadic_input_homogeneity, OrtCustomOp, GetVariadicInputHomogeneity);
  EXPECT_MEMBER(CustomOp, variadic_output_min_arity, OrtCustomOp, GetVariadicOutputMinArity);
  EXPECT_MEMBER(CustomOp, variadic_output_homogeneity, OrtCustomOp, GetVariadicOutputHomogeneity);
  EXPECT_MEMBER(CustomOp, create_kernel_v2, OrtCustomOp, CreateKernelV2);
  EXPECT_MEMBER(CustomOp, compute_v2, OrtCustomOp, KernelComputeV2);
  EXPECT_MEMBER(CustomOp, infer_output_shape, OrtCustomOp, InferOutputShapeFn);
  EXPECT_MEMBER(CustomOp, start_version, OrtCustomOp, GetStartVersion);
  EXPECT_MEMBER(CustomOp, end_version, OrtCustomOp, GetEndVersion);
  EXPECT_MEMBER(CustomOp, may_inplace, OrtCustomOp, GetMayInplace);
  EXPECT_MEMBER(CustomOp, release_may_inplace, OrtCustomOp, ReleaseMayInplace);
  EXPECT_MEMBER(CustomOp, alias_map, OrtCustomOp, GetAliasMap);
  EXPECT_MEMBER(CustomOp, release_alias_map, OrtCustomOp, ReleaseAliasMap);

  EXPECT_MEMBER(Allocator, version, OrtAllocator, version);
  EXPECT_MEMBER(Allocator, alloc, OrtAllocator, Alloc);
  EXPECT_MEMBER(Allocator, free, OrtAllocator, Free);
  EXPECT_MEMBER(Allocator, info, OrtAllocator, Info);
  EXPECT_MEMBER(Allocator, reserve, OrtAllocator, Reserve);
}

TEST(ApiAbi, EnumsAreThoseOfTheOfficialHeader) {
  EXPECT_GE(ORT_API_VERSION, static_cast<int>(kApiVersion));
  EXPECT_EQ(static_cast<int>(AllocatorType::kDevice), OrtDeviceAllocator);
  EXPECT_EQ(static_cast<int>(AttributeType::kInt), ORT_OP_ATTR_INT);
  EXPECT_EQ(static_cast<int>(Characteristic::kRequired), INPUT_OUTPUT_REQUIRED);
  EXPECT_EQ(static_cast<int>(ElementType::kFloat), ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT);
  EXPECT_EQ(static_cast<int>(ElementType::kUint8), ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8);
  EXPECT_EQ(static_cast<int>(ElementType::kInt8), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8);
  EXPECT_EQ(static_cast<int>(ElementType::kInt32), ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32);
  EXPECT_EQ(static_cast<int>(ErrorKind::kFail), ORT_FAIL);
  EXPECT_EQ(static_cast<int>(LogLevel::kError), ORT_LOGGING_LEVEL_ERROR);
  EXPECT_EQ(static_cast<int>(LogLevel::kFatal), ORT_LOGGING_LEVEL_FATAL);
  EXPECT_EQ(static_cast<int>(MemoryType::kDefault), OrtMemTypeDefault);
  EXPECT_EQ(static_cast<int>(Optimization::kNone), ORT_DISABLE_ALL);
}

}  // namespace
}  // namespace saferoute::ort

#else

TEST(ApiAbi, IsThatOfTheOfficialHeader) {
  GTEST_SKIP() << "no onnxruntime_c_api.h: install libonnxruntime-dev, or run scripts/onnxruntime-headers.mjs DIR and "
                  "configure with -DSAFEROUTE_ORT_HEADERS=<the folder that it prints>";
}

#endif
