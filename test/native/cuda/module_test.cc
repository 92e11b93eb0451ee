// The shared object as the addon loads it: what it shows, whom it refuses, and that no call throws.
#include "cuda/module.h"

#include <string>

#include <dlfcn.h>
#include <gtest/gtest.h>

namespace saferoute::cuda {
namespace {

class ModuleTest : public testing::Test {
 protected:
  void SetUp() override {
    void* library = dlopen(SAFEROUTE_CUDA_MODULE, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    ASSERT_NE(library, nullptr) << dlerror();
    entry_ = reinterpret_cast<ModuleEntry*>(dlsym(library, kModuleSymbol));
    ASSERT_NE(entry_, nullptr);
  }

  ModuleEntry* entry_ = nullptr;
};

TEST_F(ModuleTest, AnswersItsOwnBuildAlone) {
  EXPECT_NE(entry_(kModuleAbi), nullptr);
  EXPECT_EQ(entry_(kModuleAbi + 1), nullptr);
  EXPECT_EQ(entry_(0), nullptr);
}

TEST_F(ModuleTest, EveryCallIsThere) {
  const Module& module = *entry_(kModuleAbi);
  EXPECT_TRUE(module.probe && module.open_pair && module.close_pair && module.make_guard && module.forward &&
              module.cascade && module.release_overflow && module.route && module.destroy_guard);
}

TEST_F(ModuleTest, AProbeSaysWhatIsThereOrWhatIsMissing) {
  DeviceFacts facts;
  Failure failure;
  if (entry_(kModuleAbi)->probe(facts, failure)) {
    EXPECT_GE(facts.compute_major, 8);
    EXPECT_GT(facts.memory_bytes, 0u);
    EXPECT_LE(facts.free_bytes, facts.memory_bytes);
    EXPECT_FALSE(facts.name.empty());
    EXPECT_FALSE(facts.cublas_lt.empty());
  } else {
    EXPECT_EQ(failure.code, ErrorCode::kUnsupported) << failure.message;
    EXPECT_FALSE(failure.message.empty());
  }
}

TEST_F(ModuleTest, APairThatCannotBeIsAFailureNotAnException) {
  PairSource source;  // a guard without layers
  Pair* pair = nullptr;
  Failure failure;
  EXPECT_FALSE(entry_(kModuleAbi)->open_pair(source, pair, failure));
  EXPECT_EQ(pair, nullptr);
  EXPECT_FALSE(failure.message.empty());
}

}  // namespace
}  // namespace saferoute::cuda
