#include "train/training_state.h"

#include <cstring>
#include <filesystem>
#include <type_traits>
#include <utility>

#include "engine/error.h"
#include "model/mapped_file.h"
#include "model/temporary_file.h"
#include "model/weight_cache.h"  // checksum

namespace saferoute::train {
namespace {

// The file: this, the buffers, and a checksum of all before it.
struct Header {
  char magic[8];
  uint64_t fingerprint;
  Progress progress;
};
constexpr char kMagic[] = "srtrain1";

static_assert(std::is_trivially_copyable_v<Header>);

template <typename T>
void append(std::vector<std::byte>& to, std::span<T> values) {
  const auto bytes = std::as_bytes(values);
  to.insert(to.end(), bytes.begin(), bytes.end());
}

}  // namespace

uint64_t training_fingerprint(const TrainingData& data, const TrainingPlan& plan) {
  const double numbers[] = {static_cast<double>(plan.network),
                            static_cast<double>(plan.loss),
                            plan.focal_alpha,
                            plan.focal_gamma,
                            plan.kl_weight,
                            plan.prior_sigma,
                            static_cast<double>(plan.balanced),
                            static_cast<double>(plan.batch_rows),
                            static_cast<double>(plan.epochs),
                            plan.learning_rate,
                            plan.weight_decay,
                            plan.gradient_clip.value_or(0),
                            static_cast<double>(plan.schedule),
                            static_cast<double>(plan.warmup_steps),
                            static_cast<double>(plan.first_period),
                            static_cast<double>(plan.period_factor),
                            plan.floor_rate,
                            static_cast<double>(plan.keep),
                            static_cast<double>(plan.patience),
                            static_cast<double>(data.width)};
  const uint64_t parts[] = {plan.seed,
                            model::checksum(std::as_bytes(std::span(numbers))),
                            model::checksum(std::as_bytes(data.features)),
                            model::checksum(std::as_bytes(data.targets)),
                            model::checksum(std::as_bytes(data.train_rows)),
                            model::checksum(std::as_bytes(data.valid_rows))};
  return model::checksum(std::as_bytes(std::span(parts)));
}

TrainingState::TrainingState(std::string path, uint64_t fingerprint, std::vector<std::span<float>> buffers)
    : path_(std::move(path)), fingerprint_(fingerprint), buffers_(std::move(buffers)) {}

size_t TrainingState::bytes() const {
  size_t bytes = sizeof(Header) + sizeof(uint64_t);
  for (const auto buffer : buffers_) bytes += buffer.size_bytes();
  return bytes;
}

void TrainingState::save(const Progress& progress) const {
  if (path_.empty()) return;
  Header header{.magic = {}, .fingerprint = fingerprint_, .progress = progress};
  std::memcpy(header.magic, kMagic, sizeof header.magic);
  std::vector<std::byte> content;
  content.reserve(bytes());
  append(content, std::span(&header, 1));
  for (const auto buffer : buffers_) append(content, buffer);
  const uint64_t sum = model::checksum(content);
  append(content, std::span(&sum, 1));
  model::TemporaryFile file(path_, content.size());
  file.write(0, content);
  file.put();
}

bool TrainingState::load(Progress& progress) const {
  if (path_.empty() || !std::filesystem::exists(path_)) return false;
  const model::MappedFile file(path_);
  const std::span content(file.data(), file.size());
  const auto damaged = [&](const std::string& why) {
    throw Error(ErrorCode::kCheckpoint,
                path_ + ": is no training state or a damaged one (" + why + "); remove it to train from the beginning");
  };
  if (content.size() < sizeof(Header) + sizeof(uint64_t)) damaged(std::to_string(content.size()) + " bytes");
  Header header;
  std::memcpy(&header, content.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof header.magic) != 0) damaged("it does not begin like one");
  uint64_t sum;
  std::memcpy(&sum, content.data() + content.size() - sizeof sum, sizeof sum);
  if (sum != model::checksum(content.first(content.size() - sizeof sum))) damaged("its checksum does not fit");
  if (header.fingerprint != fingerprint_ || content.size() != bytes()) {
    throw Error(ErrorCode::kInvalidArgument,
                path_ + ": is the state of a training with another plan or other data; remove it to train anew");
  }
  const std::byte* at = content.data() + sizeof header;
  for (const auto buffer : buffers_) {
    std::memcpy(buffer.data(), at, buffer.size_bytes());
    at += buffer.size_bytes();
  }
  progress = header.progress;
  return true;
}

}  // namespace saferoute::train
