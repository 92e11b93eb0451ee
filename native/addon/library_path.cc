#include "addon/library_path.h"

#include <filesystem>

#include <dlfcn.h>

#include "engine/error.h"

namespace saferoute::addon {

std::string beside_addon(const std::string& file) {
  Dl_info self;
  if (dladdr(reinterpret_cast<const void*>(&beside_addon), &self) == 0 || !self.dli_fname) {
    throw Error(ErrorCode::kBackend, "the loader does not know the addon's own file");
  }
  return std::filesystem::absolute(self.dli_fname).replace_filename(file).string();
}

std::string private_onnxruntime_path() { return beside_addon(SAFEROUTE_PRIVATE_ORT_FILE); }

}  // namespace saferoute::addon
