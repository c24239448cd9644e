// --from and --to, of events.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "analyze/cli/options/command_line.h"
#include "analyze/model/wall_clock.h"
#include "analyze/pipeline/pipeline.h"
#include "formats/event_names.h"
#include "formats/preamble.h"

namespace tailcap::cli {

struct EventRange {
  std::string from, to, around;
};

// --from, --to and --around, of what is not a request.
void add_times(CommandLine& line, std::string& from, std::string& to, std::string& around);
void add_event_range(CommandLine& line, EventRange& range);

// Which events of a capture lie in the range. All are pushed, in their order.
class EventWindow {
 public:
  // Throws UsageError.
  explicit EventWindow(const EventRange& range);
  // Where the capture begins.
  void begin(const formats::Preamble& preamble, formats::Time first);

  void push(const formats::Event& event);
  bool holds(const formats::Event& event) const;
  bool all() const { return !from_ && !to_; }
  // The part of [first, last] that lies in the range. After all events.
  std::pair<formats::Time, formats::Time> within(formats::Time first, formats::Time last) const;
  const model::WallClock& clock() const { return clock_; }

 private:
  formats::Time time_of(const pipeline::Moment& moment) const;
  std::int64_t position(const formats::Event& event, const pipeline::Moment& moment) const;

  std::optional<pipeline::Moment> from_, to_;
  formats::Time first_ = formats::kNoTime;
  model::WallClock clock_;
};

}  // namespace tailcap::cli
