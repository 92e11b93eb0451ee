// Brings what other threads have to say to the event loop, in batches, through one thread-safe function. The process is
// kept alive only while somebody holds it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include <napi.h>

#include "addon/errors.h"

namespace saferoute::addon {

// Reports what native code caught on the event loop with no JavaScript below it, as Node reports any uncaught
// exception.
void report_uncaught(const Napi::Error& error);

// `Batch` is what was said since the last delivery. Part of an object that a shared pointer owns; `open` keeps that
// object alive until the thread-safe function is gone. `add` may be called on any thread, everything else on the
// environment's own.
template <typename Batch>
class Deliveries {
 public:
  using Receiver = std::function<void(Napi::Env, Batch)>;

  // What `receive` throws is reported as an uncaught exception.
  void open(Napi::Env env, std::shared_ptr<void> owner, Receiver receive);

  // Lets `change` write into the batch under way.
  template <typename Change>
  void add(Change change);

  // The process stays alive while there are holders. `open` leaves none.
  void hold();
  void release(size_t holders = 1);
  bool is_held() const { return holders_ > 0; }

  // Nothing may be added any more. Lets `owner` go, a little later.
  void finish() { napi_release_threadsafe_function(function_, napi_tsfn_release); }

 private:
  static void deliver(napi_env env, napi_value, void* context, void*);

  Receiver receive_;
  napi_env env_ = nullptr;
  napi_threadsafe_function function_ = nullptr;
  size_t holders_ = 0;

  std::mutex mutex_;
  Batch waiting_;
  bool delivery_due_ = false;
};

template <typename Batch>
void Deliveries<Batch>::open(Napi::Env env, std::shared_ptr<void> owner, Receiver receive) {
  env_ = env;
  receive_ = std::move(receive);
  auto* const kept = new std::shared_ptr<void>(std::move(owner));
  const auto let_go = [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<void>*>(data); };
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "saferoute"),
                                                             0, 1, kept, let_go, this, deliver, &function_);
  if (status != napi_ok) {
    delete kept;
    throw Napi::Error::New(env);
  }
  napi_unref_threadsafe_function(env, function_);
}

template <typename Batch>
template <typename Change>
void Deliveries<Batch>::add(Change change) {
  {
    const std::lock_guard lock(mutex_);
    change(waiting_);
    if (std::exchange(delivery_due_, true)) return;
  }
  // The queue has no limit, so this neither blocks nor finds it full.
  napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
}

template <typename Batch>
void Deliveries<Batch>::deliver(napi_env env, napi_value, void* context, void*) {
  if (!env) return;  // the environment ends, and drops what it still had to deliver
  Deliveries& self = *static_cast<Deliveries*>(context);
  Batch batch;
  {
    const std::lock_guard lock(self.mutex_);
    batch = std::exchange(self.waiting_, {});
    self.delivery_due_ = false;
  }
  try {
    guarded(env, [&] { self.receive_(env, std::move(batch)); });
  } catch (const Napi::Error& error) {
    report_uncaught(error);
  }
}

template <typename Batch>
void Deliveries<Batch>::hold() {
  if (holders_++ == 0) napi_ref_threadsafe_function(env_, function_);
}

template <typename Batch>
void Deliveries<Batch>::release(size_t holders) {
  holders_ -= holders;
  if (holders_ == 0) napi_unref_threadsafe_function(env_, function_);
}

}  // namespace saferoute::addon
