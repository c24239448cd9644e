// Of several captures of one machine, which one tells of what more than one of them recorded.
//
// Two recorders stamp the same send with two times, so that their events cannot be told to be one. So each socket is
// taken from the capture that has most of its events, and likewise a thread's waits and a process' TLS and Go runtime;
// among equals from the first.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/event.h"

namespace tailcap::merge {

class Ownership {
 public:
  // First everything of all of them. Throws std::runtime_error if that is too much to be counted.
  void push(std::uint32_t capture, const formats::Event& event);
  // Then: is this one's word taken?
  bool keeps(std::uint32_t capture, const formats::Event& event) const;

 private:
  enum What : std::size_t { socket, thread, session, runtime, stack, kWhats };
  struct Share {
    std::uint32_t capture = 0;
    std::uint64_t events = 0;
  };
  static bool subject(const formats::Event& event, What& what, std::uint64_t& number);
  std::array<std::unordered_map<std::uint64_t, std::vector<Share>>, kWhats> shares_;
};

}  // namespace tailcap::merge
