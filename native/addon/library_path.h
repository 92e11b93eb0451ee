// Where the libraries lie that come with the addon.
#pragma once

#include <string>

namespace saferoute::addon {

// Absolute path of a file beside the addon's own. Whether it is there is for the loader to say.
std::string beside_addon(const std::string& file);

// The private copy of ONNX Runtime.
std::string private_onnxruntime_path();

}  // namespace saferoute::addon
