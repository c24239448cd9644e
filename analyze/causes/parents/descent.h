// Finds the request for which a goroutine made a call: the request that the goroutine works on, or the one that its
// creator worked on, and so on.
//
// The goroutines of a pool that the first request started descend from that request, whatever they work on later. So
// ancestry is used only for goroutines that made calls during the life of their request and never after it.
//
// A request ends with its answer, or with the next request that its goroutine reads. Where both may have been lost, the
// goroutine's request is not known.
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
    bool lost = false;  // relevant events were lost
  };
  Found of(const Note& call) const;
  // The request that a goroutine, or the nearest of its ancestors with one, worked on at that time.
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
