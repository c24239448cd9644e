// The resource attributes of a process, from the capture's tables of tasks and interfaces.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "analyze/model/machine/container.h"
#include "analyze/model/trace/span.h"
#include "analyze/model/wall_clock.h"
#include "analyze/spans/ends.h"
#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::spans {

class Resources {
 public:
  void push(const formats::Event& event);
  bool merged() const { return merged_; }  // of several machines

  // comm: the process name that its requests give, for a process without an entry of its own.
  model::Attributes of(std::uint32_t pid, std::string_view comm, const formats::Preamble& preamble,
                       const model::WallClock& clock) const;
  // The interface with the local address of this connection; empty: none is known, or several.
  std::string_view interface_of(const EndpointTexts& ends) const;

 private:
  static constexpr std::size_t kMaxProcesses = 32u << 10, kMaxInterfaces = 4096;
  struct Process {
    std::string comm, executable, cgroup;
    formats::Time started = formats::kNoTime;
    bool several = false;  // the number was given to another process in between
  };
  using Place = std::tuple<std::uint32_t, formats::Family, std::array<std::uint8_t, 16>>;
  std::unordered_map<std::uint32_t, Process> processes_;
  model::Containers containers_;
  std::map<Place, std::string> interfaces_;  // empty: several have this address
  bool merged_ = false;
};

}  // namespace tailcap::spans
