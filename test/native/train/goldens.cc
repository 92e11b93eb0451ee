#include "train/goldens.h"

#include <fstream>
#include <sstream>

namespace saferoute::train::test {

Goldens::Goldens(const std::string& name) {
  std::ifstream file(std::string(SAFEROUTE_TRAINING_GOLDENS) + "/" + name + ".txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    auto& values = values_[key];
    for (double value; words >> value;) values.push_back(value);
  }
}

}  // namespace saferoute::train::test
