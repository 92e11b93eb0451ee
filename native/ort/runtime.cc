#include "ort/runtime.h"

#include <atomic>
#include <mutex>

#include "ort/thread_pool.h"

namespace saferoute::ort {
namespace {

Handle<OrtEnv> make_env(const Api& api, int32_t threads) {
  const auto pools = api.create<OrtThreadingOptions>(kCreateThreadingOptions);
  api(kSetGlobalIntraOpNumThreads, pools.get(), threads > 0 ? threads : usable_cores());
  api(kSetGlobalInterOpNumThreads, pools.get(), 1);
  api(kSetGlobalSpinControl, pools.get(), 0);
  api(kSetGlobalCustomCreateThreadFn, pools.get(), &start_pool_thread);
  api(kSetGlobalCustomJoinThreadFn, pools.get(), &join_pool_thread);
  return api.create<OrtEnv>(kCreateEnvWithGlobalThreadPools, LogLevel::kError, "saferoute", pools.get());
}

}  // namespace

Runtime::Runtime(const RuntimeOptions& options)
    : api_(Api::load(options.library_path)), env_(make_env(api_, options.threads)) {}

// ONNX Runtime 1.30 ends its environment outside the lock under which it makes one, and one that is made meanwhile
// fails ("Only one instance of LoggingManager created with InstanceType::Default can exist"). Once it does both under
// one lock, the wait can go.
std::shared_ptr<Runtime> Runtime::acquire(const RuntimeOptions& options) {
  static std::mutex mutex;
  static std::weak_ptr<Runtime> current;
  static std::atomic<bool> stands = false;  // until its environment is gone, which is after `current` has expired
  const std::lock_guard lock(mutex);
  if (auto runtime = current.lock()) return runtime;
  stands.wait(true);
  const auto end = [](Runtime* runtime) {
    delete runtime;
    stands = false;
    stands.notify_all();
  };
  const std::shared_ptr<Runtime> runtime(new Runtime(options), end);
  stands = true;
  current = runtime;
  return runtime;
}

std::string runtime_version(const std::string& library_path) { return Api::load(library_path).version(); }

}  // namespace saferoute::ort
