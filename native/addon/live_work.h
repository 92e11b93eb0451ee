// What must have come to its end before an environment, or the process, does: JavaScript's end takes away what threads
// run on.
#pragma once

#include <unordered_set>

namespace saferoute::addon {

// Used only on the environment's thread.
class LiveWork {
 public:
  virtual ~LiveWork() = default;

  // Ends the work's threads before it returns, and takes it off the list.
  virtual void end_now() = 0;
};

// The work of one environment whose threads have not ended yet. Used only on the environment's thread.
using LiveWorks = std::unordered_set<LiveWork*>;

}  // namespace saferoute::addon
