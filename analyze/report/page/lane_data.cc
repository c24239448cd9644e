#include "analyze/report/page/lane_data.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>
#include <vector>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/page/instrument_data.h"
#include "analyze/report/page/packed.h"
#include "analyze/report/words/escape.h"
#include "formats/machine.h"

namespace tailcap::report::page {
namespace {

using formats::Time;
using model::Lane;
using model::LaneKind;
using model::LaneTimes;

constexpr std::int64_t kStep = 100;            // ns: places on a page are rounded to it
constexpr std::size_t kWorthATry = 1'000'000;  // stretches: more are never small enough

bool among(const LaneTimes& times, Time from, Time to) {
  const auto at = std::ranges::lower_bound(times, from, {}, &std::pair<Time, Time>::second);
  return at != times.end() && at->first <= to;
}

// The lanes of some times, in columns.
class LaneWriter {
 public:
  LaneWriter(const model::LaneRecord& record, Time zero, const LaneTimes& times)
      : lanes_(record.lanes), zero_(zero), times_(times), json_(out_) {}

  std::string take() {
    json_.begin_object();
    json_.field("step", kStep);
    json_.field("lost", lanes_.lost);
    json_.field("states", lanes_.goroutine_states);
    column("times", [&](auto add) {
      for (const auto& [from, to] : times_) {
        add((from - zero_).count());
        add((to - zero_).count());
      }
    });
    names();
    stretches();
    marks();
    notes();
    json_.end_object();
    return std::move(out_);
  }

 private:
  template <class Fill>
  void column(std::string_view name, Fill fill) {
    json_.key(name);
    json_.begin_array();
    fill([&](auto n) { json_.number(static_cast<std::int64_t>(n)); });
    json_.end_array();
  }
  // Writes one number for each lane.
  template <class Get>
  void of_lanes(std::string_view name, Get get) {
    column(name, [&](auto add) {
      for (const Lane& lane : lanes_.lanes) add(get(lane));
    });
  }
  // Calls `each` with each stretch that is meant.
  template <class Each>
  void of_stretches(const Lane& lane, Each each) const {
    for (const model::LaneStretch& s : lane.stretches)
      if (among(times_, s.from, s.to)) each(s);
  }
  template <class Each>
  void of_marks(const Lane& lane, Each each) const {
    for (const model::LaneMark& m : lane.marks)
      if (among(times_, m.at, m.at)) each(m);
  }
  std::int64_t steps(Time t) const { return (t - zero_).count() / kStep; }

  void names() {
    of_lanes("kinds", [](const Lane& lane) { return lane.kind; });
    of_lanes("machines", [](const Lane& lane) { return formats::machine_of(lane.pid); });
    of_lanes("pids", [](const Lane& lane) { return formats::number_of(lane.pid); });
    of_lanes("numbers", [](const Lane& lane) {
      return lane.kind == LaneKind::thread ? formats::number_of(static_cast<std::uint32_t>(lane.number)) : lane.number;
    });
    json_.key("names");
    json_.begin_array();
    for (const Lane& lane : lanes_.lanes) json_.text(printable(lane.name));
    json_.end_array();
  }

  // Places since the end of the one before, and lengths, in steps.
  void stretches() {
    of_lanes("stretches", [&](const Lane& lane) {
      std::size_t n = 0;
      of_stretches(lane, [&](const auto&) { ++n; });
      return n;
    });
    const auto of_all = [&](std::string_view name, auto value) {
      column(name, [&](auto add) {
        for (const Lane& lane : lanes_.lanes) of_stretches(lane, [&](const auto& s) { add(value(s)); });
      });
    };
    column("gaps", [&](auto add) {
      for (const Lane& lane : lanes_.lanes) {
        std::int64_t before = 0;
        of_stretches(lane, [&](const auto& s) { add(steps(s.from) - std::exchange(before, steps(s.to))); });
      }
    });
    of_all("lengths", [&](const auto& s) { return steps(s.to) - steps(s.from); });
    of_all("groups", [&](const auto& s) { return s.what; });
    of_all("said", [&](const auto& s) { return note(s.note); });
  }

  void marks() {
    of_lanes("marks", [&](const Lane& lane) {
      std::size_t n = 0;
      of_marks(lane, [&](const auto&) { ++n; });
      return n;
    });
    const auto of_all = [&](std::string_view name, auto value) {
      column(name, [&](auto add) {
        for (const Lane& lane : lanes_.lanes) of_marks(lane, [&](const auto& m) { add(value(m)); });
      });
    };
    column("at", [&](auto add) {
      for (const Lane& lane : lanes_.lanes) {
        std::int64_t before = 0;
        of_marks(lane, [&](const auto& m) { add(steps(m.at) - std::exchange(before, steps(m.at))); });
      }
    });
    of_all("moves", [&](const auto& m) { return m.kind; });
    of_all("bytes", [&](const auto& m) { return m.bytes; });
  }

  std::size_t note(const std::string& text) {
    return text.empty() ? 0 : notes_.try_emplace(text, notes_.size() + 1).first->second;
  }
  void notes() {
    std::vector<const std::string*> texts(notes_.size());
    for (const auto& [text, number] : notes_) texts[number - 1] = &text;
    json_.key("notes");
    json_.begin_array();
    for (const std::string* text : texts) json_.text(printable(*text));
    json_.end_array();
  }

  const model::Lanes& lanes_;
  const Time zero_;
  const LaneTimes& times_;
  std::map<std::string, std::size_t> notes_;  // their numbers, from 1
  std::string out_;
  JsonWriter json_;
};

// The times of detailed requests, a tenth of each before and after it, the most important ones first.
LaneTimes times_in_order(const model::RequestTable& table, std::span<const ShownRow> rows,
                         std::span<const model::ExchangeId> first) {
  std::vector<const ShownRow*> order;
  for (const ShownRow& row : rows)
    if (row.detailed && table.rows.has_duration(row.row) && formats::known(table.rows.start(row.row)))
      order.push_back(&row);
  const auto weight = [&](const ShownRow* row) {
    const bool wanted = std::ranges::binary_search(first, table.rows.id(row->row));
    return std::tuple(wanted ? 0 : row->answer != 0 ? 1 : 2, -table.rows.duration(row->row).count());
  };
  std::ranges::stable_sort(order, {}, weight);
  LaneTimes out;
  for (const ShownRow* row : order) {
    const Time from = table.rows.start(row->row), to = from + table.rows.duration(row->row);
    const auto margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
    out.emplace_back(from - margin, to + margin);
  }
  return out;
}

}  // namespace

std::string lane_data(const model::LaneRecord& record, const model::Study& study, const model::RequestTable& table,
                      std::span<const ShownRow> rows, std::span<const model::ExchangeId> first) {
  if (record.times.empty() || record.lanes.lanes.empty()) return {};
  std::size_t stretches = 0;
  for (const Lane& lane : record.lanes.lanes) stretches += lane.stretches.size() + lane.marks.size();
  if (stretches <= kWorthATry) {
    std::string all = packed(LaneWriter(record, study.begin, record.times).take());
    if (all.size() <= kLargestLanes) return all;
  }
  LaneTimes some = times_in_order(table, rows, first);
  std::erase_if(some, [&](const auto& time) {  // not known whole
    const auto at = std::ranges::lower_bound(record.times, time.second, {}, &std::pair<Time, Time>::second);
    return at == record.times.end() || at->first > time.first;
  });
  for (; !some.empty(); some.resize(some.size() / 2)) {
    const LaneTimes times = model::joined_times(some);
    std::string out = packed(LaneWriter(record, study.begin, times).take());
    if (out.size() <= kLargestLanes) return out;
  }
  return {};
}

}  // namespace tailcap::report::page
