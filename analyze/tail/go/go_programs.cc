#include "analyze/tail/go/go_programs.h"

#include <algorithm>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail {

using formats::GoPhase;
using formats::known;
using formats::Time;

namespace {

bool by_process(const model::Served& a, const model::Served& b) { return a.pid < b.pid; }

// Where the requests served are in the table.
std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows_of(const model::RequestTable& table,
                                                                 const std::vector<model::Served>& served) {
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows;
  if (served.empty()) return rows;
  rows.reserve(table.rows.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    rows.emplace_back(table.rows.id(i), static_cast<std::uint32_t>(i));
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace

void GoPrograms::push(const formats::Event& event) {
  use_.push(event);
  delays_.push(event);
  left_.push(event);
  busy_.push(event);
  memory_.push(event);
  taken_.push(event);
  if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    model::GoStudy& s = processes_[event.thread.pid].study;
    s.version = program->version;
    s.unsupported = program->unsupported;
  } else if (std::holds_alternative<formats::GoCreate>(event.body)) {
    ++processes_[event.thread.pid].study.goroutines_made;
  } else if (std::holds_alternative<formats::GoExit>(event.body)) {
    ++processes_[event.thread.pid].study.goroutines_ended;
  } else if (const auto* runtime = std::get_if<formats::GoRuntime>(&event.body)) {
    Sums& sums = processes_[event.thread.pid];
    sums.study.collections += runtime->phase == GoPhase::gc_begin;
    sums.study.assists += runtime->phase == GoPhase::assist && runtime->reason.empty();
    if (runtime->phase == GoPhase::gc_begin) {
      sums.collects = event.time;
    } else if (runtime->phase == GoPhase::gc_end && known(sums.collects)) {
      if (sums.study.cycles.size() < model::GoStudy::kSpans) sums.study.cycles.push_back({sums.collects, event.time});
      sums.collects = formats::kNoTime;
    } else if (runtime->phase == GoPhase::stop_begin) {
      sums.asked = event.time;
    } else if (runtime->phase == GoPhase::started && known(sums.asked)) {
      if (event.time >= sums.asked && kept_ < kMaxStops) {
        sums.stops.push_back({sums.asked, event.time});
        ++kept_;
      }
      sums.asked = formats::kNoTime;
    }
  }
}

std::vector<model::GoStudy> GoPrograms::list(const model::RequestTable& table, const std::vector<model::Served>& served,
                                             std::uint32_t cpus, Time end) const {
  const auto rows = rows_of(table, served);
  std::vector<model::GoStudy> out;
  std::map<std::uint32_t, std::size_t> places;
  for (const auto& [pid, sums] : processes_) {
    places.emplace(pid, out.size());
    model::GoStudy& s = out.emplace_back(sums.study);
    s.pid = pid;
    model::Served process;
    process.pid = pid;
    const auto [first, last] = std::equal_range(served.begin(), served.end(), process, by_process);
    s.limits = limits_;
    s.use = use_.of(pid, {first, last});
    std::vector<go::Delays::Stretch> stretches;
    for (auto at = first; at != last; ++at) {
      const auto row = std::lower_bound(rows.begin(), rows.end(), std::pair{at->id, std::uint32_t{0}});
      if (at->goroutine == 0 || row == rows.end() || row->first != at->id) continue;
      const model::Request request = table.rows[row->second];
      stretches.push_back({at->goroutine, std::min(request.start, at->begin), at->end,
                           std::string(table.texts[request.method]) + " " + std::string(table.texts[request.route])});
    }
    taken_.fill(pid, stretches, s);
    delays_.fill(pid, std::move(stretches), s);
    left_.fill(pid, {first, last}, table, end, s);
    busy_.fill(pid, cpus, end, s);
    memory_.fill(pid, end, s);
    std::vector<formats::Duration> took;
    for (const Stop& stop : sums.stops) {
      took.push_back(stop.to - stop.from);
      s.stop_total += took.back();
      if (s.pauses.size() < model::GoStudy::kSpans) s.pauses.push_back({stop.from, stop.to});
    }
    s.stops = took.size();
    if (took.empty()) continue;
    std::sort(took.begin(), took.end());
    // Nearest rank.
    s.stop_median = took[(took.size() + 1) / 2 - 1];
    s.stop_p99 = took[(took.size() * 99 + 99) / 100 - 1];
    s.stop_longest = took.back();
  }
  for (std::size_t i = 0; i < table.rows.size() && !out.empty(); ++i) {
    const model::Request row = table.rows[i];
    const auto at = places.find(row.pid);
    if (at == places.end() || row.role != model::Role::server) continue;
    model::GoStudy& s = out[at->second];
    if (s.comm.empty()) s.comm = table.texts[row.comm];
    if (!row.has_duration) continue;
    ++s.requests;
    // Stops of a process come one after the other.
    const auto& stops = processes_.at(row.pid).stops;
    const auto stop =
        std::partition_point(stops.begin(), stops.end(), [&](const Stop& x) { return x.to <= row.start; });
    if (stop == stops.end() || stop->from >= row.start + row.duration) continue;
    ++s.requests_stopped;
    if (s.hit.size() < model::GoStudy::kSpans) s.hit.push_back({row.start, row.start + row.duration});
  }
  return out;
}

std::vector<model::GoStudy> GoPrograms::busy(std::uint32_t cpus, Time end) const {
  std::vector<model::GoStudy> out;
  for (const auto& [pid, sums] : processes_) {
    model::GoStudy& s = out.emplace_back();
    s.pid = pid;
    s.limits = limits_;
    busy_.fill(pid, cpus, end, s);
  }
  return out;
}

}  // namespace tailcap::tail
