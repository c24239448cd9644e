// From the goroutine that made a call to the request for which it did: the request that it works on itself, or that on
// which the goroutine worked that made it, and so on.
//
// Goroutines of a pool that the first request started descend from that one, whatever they work on later; so descent is
// believed only of goroutines that made calls during the life of their request and never after it.
//
// A request ends with its answer, or with the next one that its goroutine reads. Where both may have been lost, it is
// not known what the goroutine works on.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "analyze/causes/goroutines.h"
#include "analyze/causes/note.h"

namespace tailcap::causes {

class Descent {
 public:
  static constexpr int kMaxSteps = 64;

  // Both must outlive it.
  Descent(std::uint32_t pid, const Process& process, const Goroutines& goroutines)
      : pid_(pid), process_(process), goroutines_(goroutines) {}
  // When the exchanges are in order of their beginning, and know their goroutines.
  void index();

  struct Found {
    std::int64_t server = -1;  // in the process's servers; -1: not known
    bool sure = false;
    bool lost = false;  // events were lost that would tell
  };
  Found of(const Note& call) const;
  // The request at which a goroutine, or the one that made it, and so on, was at that time.
  Found of(std::uint64_t goroutine, Time at) const;
  bool serves(std::uint64_t goroutine) const { return servers_.contains(goroutine); }

 private:
  Found working_on(std::uint64_t goroutine, Time at) const;
  bool sees(const Note& server, Time at) const;
  bool only_during(std::uint64_t goroutine, const Note& server) const;

  std::uint32_t pid_;
  const Process& process_;
  const Goroutines& goroutines_;
  std::unordered_map<std::uint64_t, std::vector<std::uint32_t>> servers_, calls_;  // by goroutine, in order
};

}  // namespace tailcap::causes
