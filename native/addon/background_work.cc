#include "addon/background_work.h"

#include <utility>

#include "addon/errors.h"
#include "ort/thread_pool.h"

namespace saferoute::addon {

std::shared_ptr<BackgroundWork> BackgroundWork::start(Napi::Env env, std::shared_ptr<LiveWorks> live, Body body,
                                                      std::function<void(Napi::Env)> on_notice) {
  const std::shared_ptr<BackgroundWork> work(new BackgroundWork(env, std::move(live), std::move(on_notice)));
  work->deliveries_.open(env, work, [work = work.get()](Napi::Env env, News news) { work->receive(env, news); });
  // Node runs these hooks last in, first out: this one, added after the thread-safe function, ends the thread before
  // that function goes.
  napi_add_env_cleanup_hook(env, on_environment_end, work.get());
  work->live_->insert(work.get());
  work->deliveries_.hold();
  try {
    work->thread_ = std::jthread(
        [work = work.get(), body = std::move(body)](std::stop_token stop) { work->run(body, std::move(stop)); });
  } catch (...) {
    work->deliveries_.add([failure = current_error()](News& news) {
      news.ended = true;
      news.failure = failure;
    });
  }
  return work;
}

BackgroundWork::BackgroundWork(Napi::Env env, std::shared_ptr<LiveWorks> live, std::function<void(Napi::Env)> on_notice)
    : live_(std::move(live)), on_notice_(std::move(on_notice)), settling_(Napi::Promise::Deferred::New(env)) {}

BackgroundWork::~BackgroundWork() = default;

void BackgroundWork::notify() {
  deliveries_.add([](News& news) { news.noticed = true; });
}

void BackgroundWork::run(const Body& body, std::stop_token stop) {
  ort::yield_to_main_thread();
  News end{.ended = true, .result = {}, .failure = {}};
  try {
    end.result = body(*this, std::move(stop));
  } catch (...) {
    end.failure = current_error();
  }
  deliveries_.add([&](News& news) {
    end.noticed = news.noticed;
    news = std::move(end);
  });
}

void BackgroundWork::receive(Napi::Env env, News news) {
  if (news.noticed && on_notice_) on_notice_(env);
  if (!news.ended) return;
  end_now();
  napi_remove_env_cleanup_hook(env, on_environment_end, this);
  on_notice_ = {};
  deliveries_.release();
  deliveries_.finish();
  settle(env, news);
}

void BackgroundWork::settle(Napi::Env env, const News& news) {
  if (news.failure) return settling_.Reject(to_js_error(env, *news.failure).Value());
  try {
    settling_.Resolve(news.result(env));
  } catch (const Napi::Error& error) {
    settling_.Reject(error.Value());
  }
}

void BackgroundWork::end_now() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  live_->erase(this);
}

void BackgroundWork::on_environment_end(void* work) { static_cast<BackgroundWork*>(work)->end_now(); }

}  // namespace saferoute::addon
