#include "analyze/cli/options/event_window.h"

#include <algorithm>

#include "analyze/cli/options/selection.h"

namespace tailcap::cli {

void add_times(CommandLine& line, std::string& from, std::string& to, std::string& around) {
  line.option(
      option::kFrom, &from,
      "only from T on: a time since the start of the recording (10s, 1500ms, 1m30s), before its end (-10s), or in "
      "UTC (12:34:56, 2026-03-01T12:34:56Z)");
  line.option(option::kTo, &to, "only until T");
  line.option(option::kAround, &around);
}

void add_event_range(CommandLine& line, EventRange& range) { add_times(line, range.from, range.to, range.around); }

EventWindow::EventWindow(const EventRange& range) {
  refuse_empty_range(range.from, range.to);
  if (!range.from.empty()) from_ = moment_of(range.from);
  if (!range.to.empty()) to_ = moment_of(range.to);
}

void EventWindow::begin(const formats::Preamble& preamble, formats::Time first) {
  first_ = first;
  if (preamble.started_realtime > 0) clock_.add(preamble.started, preamble.started_realtime, {});
}

void EventWindow::push(const formats::Event& event) {
  if (const auto* c = std::get_if<formats::ClockSnapshot>(&event.body))
    clock_.add(event.time, c->realtime, c->uncertainty);
}

bool EventWindow::holds(const formats::Event& event) const {
  if (from_ && position(event, *from_) < from_->nanoseconds) return false;
  return !to_ || position(event, *to_) < to_->nanoseconds;
}

formats::Time EventWindow::time_of(const pipeline::Moment& moment) const {
  if (!moment.absolute) return first_ + formats::Duration{moment.nanoseconds};
  return formats::time_from(moment.nanoseconds - (clock_.realtime(first_) - formats::nanoseconds(first_)));
}

std::pair<formats::Time, formats::Time> EventWindow::within(formats::Time first, formats::Time last) const {
  return {from_ ? std::clamp(time_of(*from_), first, last) : first,
          to_ ? std::clamp(time_of(*to_), first, last) : last};
}

std::int64_t EventWindow::position(const formats::Event& event, const pipeline::Moment& moment) const {
  return moment.absolute ? clock_.realtime(event.time) : (event.time - first_).count();
}

}  // namespace tailcap::cli
