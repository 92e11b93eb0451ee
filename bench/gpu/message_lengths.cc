#include "gpu/message_lengths.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>

namespace saferoute::bench {
namespace {

// The numbers between the brackets, or the one number, behind `"name":`.
std::vector<int32_t> numbers_of(const std::string& json, const std::string& name) {
  const size_t key = json.find('"' + name + "\":");
  if (key == std::string::npos) throw std::runtime_error("the histogram has no " + name);
  const size_t begin = key + name.size() + 3;
  const size_t list = json.find_first_not_of(" \n", begin);
  const size_t end = json.find(json[list] == '[' ? ']' : ',', list);
  std::vector<int32_t> numbers;
  for (size_t at = json.find_first_of("0123456789", list); at < end; at = json.find_first_of("0123456789", at)) {
    size_t digits = 0;
    numbers.push_back(std::stoi(json.substr(at, 12), &digits));
    at += digits;
  }
  return numbers;
}

}  // namespace

std::vector<int32_t> message_lengths(const std::string& path) {
  std::ifstream file(path);
  const std::string json{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::vector<int32_t> counts = numbers_of(json, "counts");
  const int32_t bin = numbers_of(json, "binTokens").at(0);
  std::vector<int32_t> lengths;
  for (size_t i = 0; i < counts.size(); ++i) {
    for (int32_t n = 0; n < counts[i]; ++n) lengths.push_back(static_cast<int32_t>(i) * bin + 1 + n % bin);
  }
  // std::shuffle may differ from library to library; this does not.
  std::mt19937 random(1);
  for (size_t i = lengths.size(); i > 1; --i) std::swap(lengths[i - 1], lengths[random() % i]);
  return lengths;
}

}  // namespace saferoute::bench
