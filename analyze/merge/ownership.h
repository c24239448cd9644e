// Selects, among several captures of one machine, the one whose record of a socket, thread or process is kept.
//
// Two recorders stamp the same send with two times, so it cannot be proved that their events are the same. So each
// socket is taken from the capture that has most of its events, and likewise a thread's off-CPU intervals and a
// process' TLS and Go runtime events; among equals from the first.
#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/event_names.h"

namespace tailcap::merge {

class Ownership {
 public:
  // Call first, with all events of all captures. Throws std::runtime_error if they are too many to be counted.
  void push(std::uint32_t capture, const formats::Event& event);
  // Afterwards: whether this capture's event is kept.
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
