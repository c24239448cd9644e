// The resource attributes of a process, from the capture's tables of tasks and interfaces.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "analyze/model/machine/container.h"
#include "analyze/model/machine/processes.h"
#include "analyze/model/trace/span.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/model/wall_clock.h"
#include "analyze/spans/ends.h"
#include "formats/event_names.h"
#include "formats/preamble.h"
#include "formats/socket_event.h"

namespace tailcap::spans {

class Resources {
 public:
  void push(const formats::Event& event);
  bool merged() const { return merged_; }  // of several machines

  // service: of the process's requests. at: a time in which the process was alive.
  model::Attributes of(std::uint32_t pid, formats::Time at, const model::NamedService& service,
                       const formats::Preamble& preamble, const model::WallClock& clock) const;
  // The interface with the local address of this connection; empty: none is known, or several.
  std::string_view interface_of(const EndpointTexts& ends) const;

 private:
  static constexpr std::size_t kMaxInterfaces = 4096;
  using Place = std::tuple<std::uint32_t, formats::Family, std::array<std::uint8_t, 16>>;
  model::Processes processes_;
  model::Containers containers_;
  std::map<Place, std::string> interfaces_;  // empty: several have this address
  bool merged_ = false;
};

}  // namespace tailcap::spans
