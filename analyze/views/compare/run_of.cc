#include "analyze/views/compare/run_of.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>
#include <tuple>

#include "analyze/model/sampling/sampling.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/report/tail/culprit.h"
#include "analyze/tail/load/load_study.h"
#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/study.h"
#include "analyze/views/compare/functions.h"
#include "analyze/views/compare/process_counts.h"
#include "analyze/views/compare/software.h"
#include "formats/bounds/read_limits.h"

namespace tailcap::views {
namespace {

using model::Request;
using model::RequestTable;
using model::Role;
using model::gate::Count;
using model::gate::kCounts;
using model::gate::RouteName;
using model::gate::RouteRun;
using model::gate::Run;
using model::gate::RunObservation;
using tail::DurationStanding;

constexpr std::size_t kBlockers = 40, kCallees = 100;

std::int64_t ns_of(formats::Time t) { return formats::nanoseconds(t); }

std::string why_not(model::NotCounted why) {
  using model::NotCounted;
  switch (why) {
    case NotCounted::not_asked:
      return "off-CPU intervals were not recorded (`tailcap record --add offcpu`), or not all the time (`--budget`)";
    case NotCounted::states:
      return "the states of goroutines were not recorded (`tailcap record --profile deep`)";
    case NotCounted::loop:
      return "its event loop, or its pipelined connection, carries several requests at once";
    case NotCounted::carrier:
      return "it is not certain which thread or goroutine carried the request all the time";
    case NotCounted::lost:
      return "events that could be of the request were lost, or off-CPU intervals of its thread were missed";
    case NotCounted::not_of_go:
      return "the collector of its program was not recorded: it is none of Go, or the group go is missing (`tailcap "
             "record --add go`)";
    case NotCounted::counted:
    case NotCounted::unsettled:
      break;
  }
  return "the request has no account";
}

// A request that a recorded request made, for certain or perhaps: no load from outside.
bool called_within(const Request& row, const RequestTable& table) {
  if (row.role != Role::server || row.peer.connection == 0) return false;
  const auto cause = table.causes.find(row.peer);
  return cause != nullptr && (cause->parent.connection != 0 || cause->alternatives != 0 || cause->lost);
}

class RouteReader {
 public:
  RouteReader(const pipeline::Analysis& analysis, const tail::slow::Links& links, const ProcessCounts* counts,
              KeepCalls keep)
      : table_(analysis.table),
        preamble_(analysis.study.quality.preamble),
        links_(links),
        counts_(counts),
        keep_(keep == KeepCalls::yes),
        sampled_(model::sampling_of(preamble_.notes).some()) {}

  // The recording ended at `end`.
  RouteRun read(const tail::RouteKey& key, const std::vector<std::uint32_t>& rows, std::int64_t from, double seconds,
                formats::Time end) {
    RouteRun out;
    const auto text = [&](model::TextId id) { return std::string(id == 0 ? "" : table_.texts[id]); };
    out.name = {std::get<2>(key), text(std::get<0>(key)), text(std::get<1>(key)), text(std::get<3>(key))};
    std::vector<std::int64_t> durations;
    std::vector<std::pair<std::int64_t, std::uint32_t>> slowest;
    std::map<std::string, std::uint64_t> callees;
    most_ = 0;
    std::set<std::uint32_t> processes;
    for (const std::uint32_t i : rows) {
      const Request row = table_.rows[i];
      processes.insert(row.pid);
      switch (tail::standing_of(row)) {
        case DurationStanding::doubtful:
          ++out.doubtful;
          break;
        case DurationStanding::in_flight:
          ++out.in_flight;
          if (const std::int64_t least = tail::lasted(row, end); least >= 0) out.cut_off.push_back(least);
          break;
        case DurationStanding::failed:
          out.requests.push_back({.id = row.id,
                                  .start = ns_of(row.start) - from,
                                  .at_least = std::max<std::int64_t>(0, tail::lasted(row, end)),
                                  .failed = true});
          out.called += called_within(row, table_);
          break;
        case DurationStanding::clean:
          out.requests.push_back(observe(row, out, callees));
          out.requests.back().start = ns_of(row.start) - from;
          out.called += called_within(row, table_);
          durations.push_back(row.duration.count());
          slowest.emplace_back(row.duration.count(), i);
      }
    }
    if (counts_) counts_->read(processes, out);
    out.processes.assign(processes.begin(), processes.end());
    out.callees.assign(callees.begin(), callees.end());
    std::stable_sort(out.callees.begin(), out.callees.end(), [](auto& x, auto& y) { return x.second > y.second; });
    if (out.callees.size() > kCallees) out.callees.resize(kCallees);
    keep_calls(out);
    if (durations.empty()) return out;
    const double n = static_cast<double>(durations.size());
    out.decorrelation = tail::Sample(std::move(durations)).correlation() * seconds / n;
    std::sort(slowest.begin(), slowest.end());
    slowest.erase(slowest.begin(), slowest.begin() + static_cast<std::ptrdiff_t>(std::ceil(0.99 * n - 1e-9)));
    look_at_slowest(slowest, out);
    return out;
  }

 private:
  RunObservation observe(const Request& row, RouteRun& out, std::map<std::string, std::uint64_t>& callees) {
    RunObservation o;
    o.id = row.id;
    o.duration = row.duration.count();
    o.failed = row.outcome == model::Outcome::server_error;
    o.client_error = row.outcome == model::Outcome::client_error;
    o.accounts_at = static_cast<std::uint32_t>(out.accounts.size());
    std::int64_t labelled = 0;
    for (const model::AccountPart& part : table_.partitions.parts(row.id)) {
      labelled += part.time;
      const auto account = static_cast<std::uint8_t>(part.label);
      const auto at = std::find_if(out.accounts.begin() + o.accounts_at, out.accounts.end(),
                                   [&](const auto& a) { return a.first == account; });
      if (at != out.accounts.end())
        at->second += part.time;
      else
        out.accounts.emplace_back(account, std::int64_t{part.time});
    }
    if (labelled != o.duration)
      out.accounts.emplace_back(static_cast<std::uint8_t>(model::gate::kNoAccount), o.duration - labelled);
    o.accounts_n = static_cast<std::uint32_t>(out.accounts.size()) - o.accounts_at;
    const auto at = [&](Count count) -> std::int64_t& { return o.counts[static_cast<std::size_t>(count)]; };
    at(Count::request_bytes) = row.request_bytes;
    at(Count::response_bytes) = row.response_bytes;
    const model::Occurrences happened = table_.occurrences.find(row.id);
    for (const auto& [count, occurrence] : {std::pair(Count::waits, happened.waits),
                                            {Count::wake_ups, happened.wake_ups},
                                            {Count::collections, happened.collections}}) {
      at(count) = occurrence.times;
      if (occurrence.times < 0) out.uncounted[static_cast<std::size_t>(count)] = why_not(occurrence.why);
    }
    o.waits_at = static_cast<std::uint32_t>(out.waits.size());
    for (const auto& [label, times] : happened.by_label)
      out.waits.emplace_back(static_cast<std::uint8_t>(label), times);
    o.waits_n = static_cast<std::uint32_t>(out.waits.size()) - o.waits_at;
    if (row.role == Role::client) {
      count_call(row, o);
      return o;
    }
    if (sampled_) {
      for (std::size_t count = 0; count < model::gate::kCounts; ++count) {
        if (!model::gate::of_calls(count)) continue;
        o.counts[count] = -1;
        out.uncounted[count] =
            "a part of all connections is recorded (--sample-connections): calls on others are not known";
      }
      return o;
    }
    std::map<std::string, std::int64_t> made_of;
    for (const auto& [parent, call] : links_.calls_of(row.id)) {
      ++at(Count::calls);
      const auto place = links_.row_of(call);
      if (!place) continue;
      const Request made = table_.all()[*place];
      count_call(made, o);
      ++made_of[callee_of(made)];
    }
    for (const auto& [name, calls] : made_of) {
      const auto known = callees.try_emplace(name).first;
      known->second += static_cast<std::uint64_t>(calls);
      if (keep_) made_.push_back({static_cast<std::uint32_t>(out.requests.size()), &known->first, calls});
      at(Count::same_calls) = std::max(at(Count::same_calls), calls);
      if (calls <= most_) continue;
      most_ = calls;
      out.most_called = name;
    }
    return o;
  }

  void keep_calls(RouteRun& out) {
    std::map<std::string_view, std::uint32_t> numbers;
    for (std::size_t i = 0; i < out.callees.size(); ++i) numbers[out.callees[i].first] = static_cast<std::uint32_t>(i);
    for (const KeptCalls& kept : made_)
      if (const auto number = numbers.find(*kept.callee); number != numbers.end())
        out.made.push_back({kept.request, number->second, static_cast<std::uint32_t>(kept.calls)});
    made_.clear();
  }

  // A statement, or a route, but for those that have no name of their own.
  std::string callee_of(const Request& call) const {
    const bool other = call.route != 0 && table_.texts[call.route] == tail::kOtherRoute;
    const model::TextId what = is_store(call.protocol) || other ? call.path : call.route;
    return std::string(call.method == 0 ? "" : table_.texts[call.method]) + " " +
           std::string(what == 0 ? "?" : table_.texts[what]);
  }

  void count_call(const Request& call, RunObservation& o) const {
    const auto at = [&](Count count) -> std::int64_t& { return o.counts[static_cast<std::size_t>(count)]; };
    at(Count::retries) += call.attempt >= 2;
    at(Count::failed_calls) += model::failed(call);
    const model::Setup* setup = table_.setups.find(call.id);
    if (!setup) return;
    at(Count::connects) += formats::known(setup->connect_began);
    at(Count::tls_handshakes) += formats::known(setup->tls_began);
    at(Count::lookups) += setup->dns_attempts;
  }

  void look_at_slowest(const std::vector<std::pair<std::int64_t, std::uint32_t>>& slowest, RouteRun& out) const {
    std::vector<model::Crowd::Interval> spans;
    std::map<std::pair<std::size_t, std::string>, std::int64_t> blockers;
    for (const auto& [duration, i] : slowest) {
      const std::int64_t start = formats::nanoseconds(table_.rows.start(i));
      spans.push_back({start, start + duration});
      for (const model::Culprit& c : table_.partitions.culprits(table_.rows.id(i))) {
        model::CulpritStudy who = tail::slow::culprit_study(c, table_, links_, preamble_);
        // Addresses and threads are others in every run.
        if (model::name_of(c.label).starts_with("lock.")) who.what = 0;
        who.tid = 0;
        std::string text = report::tail::culprit_text(who, table_.texts);
        if (!text.empty()) blockers[{static_cast<std::size_t>(c.label), std::move(text)}] += c.time;
      }
    }
    out.bursts = tail::slow::bursts_of(std::move(spans)).size();
    for (const auto& [key, time] : blockers) out.blockers.push_back({key.first, key.second, time});
    std::stable_sort(out.blockers.begin(), out.blockers.end(), [](auto& x, auto& y) { return x.time > y.time; });
    if (out.blockers.size() > kBlockers) out.blockers.resize(kBlockers);
  }

  struct KeptCalls {
    std::uint32_t request;
    const std::string* callee;
    std::int64_t calls;
  };

  const RequestTable& table_;
  const formats::Preamble& preamble_;
  const tail::slow::Links& links_;
  const ProcessCounts* counts_;
  const bool keep_, sampled_;
  std::vector<KeptCalls> made_;  // of the route
  std::int64_t most_ = 0;        // calls of one callee that a request of the route made
};

}  // namespace

Run run_of(const pipeline::Analysis& analysis, std::optional<double> warm_up, ProcessCounts* counts, KeepCalls keep) {
  const RequestTable& table = analysis.table;
  const model::Quality& quality = analysis.study.quality;
  Run out;
  out.preamble = quality.preamble;
  if (quality.clock.known() && formats::known(quality.file.first)) {
    out.begin = quality.clock.realtime(quality.file.first);
    out.end = quality.clock.realtime(quality.file.last);
  }
  out.closed_loop = tail::load::arrivals(table).closed_loop;
  out.stolen = table.cpus.stolen();
  out.whole = quality.file.state == formats::CaptureState::complete && quality.file.damaged_blocks == 0;
  out.lost = quality.lost;
  out.clock_stepped = quality.clock_stepped;
  // From the first request to the last: a recording may begin long before the load.
  std::int64_t first = 0, last = -1;
  bool served = false;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (!formats::known(table.rows.start(i))) continue;
    const std::int64_t start = ns_of(table.rows.start(i));
    if (last < 0 || start < first) first = start;
    last = std::max(last, start);
    served = served || table.rows.role(i) == Role::server;
  }
  if (last < 0) return out;
  // Unsigned: the times of a capture may be any.
  const std::uint64_t span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  const double length = static_cast<double>(span) / 1e9;
  out.warm_up = std::min(length, warm_up.value_or(std::max(kWarmUpShare * length, kWarmUpLeast)));
  out.seconds = length - out.warm_up;
  const std::uint64_t offset = out.warm_up >= length ? span : static_cast<std::uint64_t>(out.warm_up * 1e9);
  const auto from = static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + std::min(span, offset));
  const auto meant = [&](std::size_t i) {
    return formats::known(table.rows.start(i)) && ns_of(table.rows.start(i)) >= from;
  };
  for (std::size_t i = 0; i < table.rows.size(); ++i)
    out.requests +=
        meant(i) && (!served || (table.rows.role(i) == Role::server && !called_within(table.rows[i], table)));
  const tail::slow::Links links(table);
  for (const auto& [call, cause] : table.causes) {
    if (cause.parent.connection != 0 || (cause.alternatives == 0 && !cause.lost)) continue;
    const auto row = links.row_of(call);
    if (!row) continue;
    // Calls that were not chosen may be of requests that were.
    const formats::Time start = table.all().start(*row);
    if (!formats::known(start) || ns_of(start) < from || ns_of(start) > last) continue;
    ++out.undecided_calls;
    out.undecided_failed += model::failed(table.all()[*row]);
  }
  if (counts) counts->since(analysis, from);
  RouteReader reader(analysis, links, counts, keep);
  for (const auto& [key, rows] : tail::by_route(table, meant))
    out.routes.push_back(reader.read(key, rows, from, out.seconds, quality.file.last));
  return out;
}

RunRead read_run(const std::string& path, pipeline::Options&& options, std::optional<double> warm_up,
                 const FurtherFacts& further) {
  options.study = static_cast<bool>(further);
  options.partition = true;
  options.occurrences = true;
  pipeline::Replay replay(path, options.threads, options.progress);
  SoftwareReader software;
  const std::size_t stopped = formats::stopped_captures().size();
  ProcessCounts counts;
  RequestStacks stacks(options);
  pipeline::SecondReading* const beside[] = {&software, &counts, &stacks};
  const pipeline::Analysis analysis = pipeline::analyze(replay, options, beside);
  RunRead out;
  out.run = run_of(analysis, warm_up, &counts, further ? KeepCalls::yes : KeepCalls::no);
  read_functions(stacks, out.run);
  out.run.path = path;
  out.run.file = std::filesystem::path(path).filename().string();
  out.run.whole = out.run.whole && formats::stopped_captures().size() == stopped;
  out.run.software = software.software();
  out.wrong = analysis.wrong;
  if (further) further(analysis, stacks, out.run);
  return out;
}

void name_routes(std::vector<Run*> runs) {
  std::set<RouteName> shared;
  for (const Run* run : runs) {
    std::set<RouteName> seen;
    for (const RouteRun& route : run->routes) {
      RouteName name = route.name;
      name.comm.clear();
      if (!seen.insert(name).second) shared.insert(name);
    }
  }
  for (Run* run : runs)
    for (RouteRun& route : run->routes) {
      RouteName name = route.name;
      name.comm.clear();
      if (!shared.contains(name)) route.name.comm.clear();
    }
}

}  // namespace tailcap::views
