// The area under the precision-recall curve that training is judged by.
#pragma once

#include <cstdint>
#include <span>

namespace saferoute::train {

// scikit-learn's average_precision_score: the sum over falling thresholds of precision times the gain in recall, equal
// scores being one threshold. There is a hard row at least, and no score is NaN.
double average_precision(std::span<const uint8_t> hard,  // (rows)
                         std::span<const float> scores   // (rows)
);

}  // namespace saferoute::train
