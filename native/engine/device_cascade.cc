#include "engine/device_cascade.h"

#include "engine/error.h"

namespace saferoute::engine {

CascadeReading Backend::cascade(const Batch&, const Batch&, const EscalationPlan&, std::stop_token) {
  throw Error(ErrorCode::kUnsupported, "this guard's device does not run both guards at once");
}

}  // namespace saferoute::engine
