// Which functions of ONNX Runtime's C ABI this room calls: their slots in the two tables and their signatures.
#pragma once

#include "ort/abi.h"

namespace saferoute::ort {

// Errors and the process-wide environment.
inline constexpr Slot<OrtStatus*(ErrorKind, const char* message)> kCreateStatus{0};
inline constexpr Slot<const char*(const OrtStatus*)> kGetErrorMessage{2};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions**)> kCreateThreadingOptions{121};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions*, int threads)> kSetGlobalIntraOpNumThreads{147};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions*, int threads)> kSetGlobalInterOpNumThreads{148};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions*, int allow)> kSetGlobalSpinControl{149};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions*, StartThread)> kSetGlobalCustomCreateThreadFn{199};
inline constexpr Slot<OrtStatus*(OrtThreadingOptions*, JoinThread)> kSetGlobalCustomJoinThreadFn{201};
inline constexpr Slot<OrtStatus*(LogLevel, const char* name, const OrtThreadingOptions*, OrtEnv**)>
    kCreateEnvWithGlobalThreadPools{119};

// Sessions.
inline constexpr Slot<OrtStatus*(OrtSessionOptions**)> kCreateSessionOptions{10};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*)> kDisableMemPattern{17};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*, Optimization)> kSetSessionGraphOptimizationLevel{23};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*, int threads)> kSetIntraOpNumThreads{24};
inline constexpr Slot<OrtStatus*(const char* domain, OrtCustomOpDomain**)> kCreateCustomOpDomain{26};
inline constexpr Slot<OrtStatus*(OrtCustomOpDomain*, const CustomOp*)> kCustomOpDomainAdd{27};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*, OrtCustomOpDomain*)> kAddCustomOpDomain{28};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*)> kDisablePerSessionThreads{120};
inline constexpr Slot<OrtStatus*(OrtSessionOptions*, bool cancel)> kSessionOptionsSetLoadCancellationFlag{293};

// Runs.
inline constexpr Slot<OrtStatus*(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                                 const OrtValue* const* inputs, size_t input_count, const char* const* output_names,
                                 size_t output_count, OrtValue** outputs)>
    kRun{9};
inline constexpr Slot<OrtStatus*(OrtRunOptions**)> kCreateRunOptions{39};
inline constexpr Slot<OrtStatus*(OrtRunOptions*, int level)> kRunOptionsSetRunLogSeverityLevel{41};
inline constexpr Slot<OrtStatus*(OrtRunOptions*)> kRunOptionsSetTerminate{46};

// Tensors.
inline constexpr Slot<OrtStatus*(const OrtMemoryInfo*, void* data, size_t bytes, const int64_t* shape, size_t rank,
                                 ElementType, OrtValue**)>
    kCreateTensorWithDataAsOrtValue{49};
inline constexpr Slot<OrtStatus*(Allocator* deleter, void* data, size_t bytes, const int64_t* shape, size_t rank,
                                 ElementType, OrtValue**)>
    kCreateTensorWithDataAndDeleterAsOrtValue{292};
inline constexpr Slot<OrtStatus*(OrtValue*, void**)> kGetTensorMutableData{51};
inline constexpr Slot<OrtStatus*(OrtTensorTypeAndShapeInfo**)> kCreateTensorTypeAndShapeInfo{57};
inline constexpr Slot<OrtStatus*(OrtTensorTypeAndShapeInfo*, ElementType)> kSetTensorElementType{58};
inline constexpr Slot<OrtStatus*(OrtTensorTypeAndShapeInfo*, const int64_t* shape, size_t rank)> kSetDimensions{59};
inline constexpr Slot<OrtStatus*(const OrtTensorTypeAndShapeInfo*, size_t*)> kGetTensorShapeElementCount{64};
inline constexpr Slot<OrtStatus*(const OrtValue*, OrtTensorTypeAndShapeInfo**)> kGetTensorTypeAndShape{65};
inline constexpr Slot<OrtStatus*(AllocatorType, MemoryType, OrtMemoryInfo**)> kCreateCpuMemoryInfo{69};

// Inside custom operators.
inline constexpr Slot<OrtStatus*(const OrtKernelContext*, size_t index, const OrtValue**)> kKernelContextGetInput{90};
inline constexpr Slot<OrtStatus*(OrtKernelContext*, size_t index, const int64_t* shape, size_t rank, OrtValue**)>
    kKernelContextGetOutput{91};
inline constexpr Slot<OrtStatus*(const OrtKernelContext*, ParallelBody, size_t count, size_t batches, void* user)>
    kKernelContextParallelFor{274};

// Building a model in memory.
inline constexpr Slot<const OrtModelEditorApi*()> kGetModelEditorApi{291};
inline constexpr Slot<OrtStatus*(const char* name, const void* data, int length, AttributeType, OrtOpAttr**)>
    kCreateOpAttr{211};
inline constexpr EditorSlot<OrtStatus*(const OrtTensorTypeAndShapeInfo*, OrtTypeInfo**)> kCreateTensorTypeInfo{0};
inline constexpr EditorSlot<OrtStatus*(const char* name, const OrtTypeInfo*, OrtValueInfo**)> kCreateValueInfo{5};
inline constexpr EditorSlot<OrtStatus*(const char* type, const char* domain, const char* name,
                                       const char* const* inputs, size_t input_count, const char* const* outputs,
                                       size_t output_count, OrtOpAttr** attributes, size_t attribute_count, OrtNode**)>
    kCreateNode{6};
inline constexpr EditorSlot<OrtStatus*(OrtGraph**)> kCreateGraph{7};
inline constexpr EditorSlot<OrtStatus*(OrtGraph*, OrtValueInfo**, size_t count)> kSetGraphInputs{8};
inline constexpr EditorSlot<OrtStatus*(OrtGraph*, OrtValueInfo**, size_t count)> kSetGraphOutputs{9};
inline constexpr EditorSlot<OrtStatus*(OrtGraph*, const char* name, OrtValue*, bool external)> kAddInitializerToGraph{
    10};
inline constexpr EditorSlot<OrtStatus*(OrtGraph*, OrtNode*)> kAddNodeToGraph{11};
inline constexpr EditorSlot<OrtStatus*(const char* const* domains, const int* versions, size_t count, OrtModel**)>
    kCreateModel{12};
inline constexpr EditorSlot<OrtStatus*(OrtModel*, OrtGraph*)> kAddGraphToModel{13};
inline constexpr EditorSlot<OrtStatus*(const OrtEnv*, const void* model, size_t bytes, const OrtSessionOptions*,
                                       OrtSession**)>
    kCreateModelEditorSessionFromArray{16};
inline constexpr EditorSlot<OrtStatus*(OrtSession*, OrtModel*)> kApplyModelToModelEditorSession{18};
inline constexpr EditorSlot<OrtStatus*(OrtSession*, const OrtSessionOptions*, OrtPrepackedWeightsContainer*)>
    kFinalizeModelEditorSession{19};

// What frees each type; the argument only chooses the overload.
constexpr Slot<void(OrtEnv*)> release_slot(const OrtEnv*) { return {92}; }
constexpr Slot<void(OrtStatus*)> release_slot(const OrtStatus*) { return {93}; }
constexpr Slot<void(OrtMemoryInfo*)> release_slot(const OrtMemoryInfo*) { return {94}; }
constexpr Slot<void(OrtSession*)> release_slot(const OrtSession*) { return {95}; }
constexpr Slot<void(OrtValue*)> release_slot(const OrtValue*) { return {96}; }
constexpr Slot<void(OrtRunOptions*)> release_slot(const OrtRunOptions*) { return {97}; }
constexpr Slot<void(OrtTypeInfo*)> release_slot(const OrtTypeInfo*) { return {98}; }
constexpr Slot<void(OrtTensorTypeAndShapeInfo*)> release_slot(const OrtTensorTypeAndShapeInfo*) { return {99}; }
constexpr Slot<void(OrtSessionOptions*)> release_slot(const OrtSessionOptions*) { return {100}; }
constexpr Slot<void(OrtCustomOpDomain*)> release_slot(const OrtCustomOpDomain*) { return {101}; }
constexpr Slot<void(OrtThreadingOptions*)> release_slot(const OrtThreadingOptions*) { return {122}; }
constexpr Slot<void(OrtOpAttr*)> release_slot(const OrtOpAttr*) { return {212}; }
constexpr Slot<void(OrtValueInfo*)> release_slot(const OrtValueInfo*) { return {285}; }
constexpr Slot<void(OrtNode*)> release_slot(const OrtNode*) { return {286}; }
constexpr Slot<void(OrtGraph*)> release_slot(const OrtGraph*) { return {287}; }
constexpr Slot<void(OrtModel*)> release_slot(const OrtModel*) { return {288}; }

}  // namespace saferoute::ort
