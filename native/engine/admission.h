// What options, guards, requests and features must satisfy before the engine takes them. Everything here throws
// Error(kInvalidArgument) naming the value and the limit, unless another code is named.
#pragma once

#include <span>
#include <string_view>

#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/request.h"

namespace saferoute::engine {

void check_options(const EngineOptions& options, bool has_large);

// A guard needs a safe and an unsafe verdict token, and the small one a router where the rule asks it.
void check_guard(const GuardInfo& info, std::string_view guard);
void check_rule(const EscalationRule& rule, const GuardInfo& small);

// Checks the ids of every guard that may read the request, the large one of a cascade where rows `may_escalate`. Throws
// Error(kContextLength) for a prompt that is too long. `large` is null without a large guard.
void check_request(const Request& request, bool may_escalate, const GuardInfo& small, const GuardInfo* large);

// Throws Error(kUnsupported) where the small guard carries no router.
void check_feature(std::span<const float> feature, const GuardInfo& small);

}  // namespace saferoute::engine
