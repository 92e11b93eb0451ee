#include "addon/deliveries.h"

namespace saferoute::addon {

void report_uncaught(const Napi::Error& error) {
  // Fails only where JavaScript may not run any more: then there is nobody to tell.
  napi_fatal_exception(error.Env(), error.Value());
}

}  // namespace saferoute::addon
