#include "analyze/views/cut/cut.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>

#include "analyze/cut/copy.h"
#include "analyze/model/study/cut_note.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/json/request_json.h"
#include "formats/not_itself.h"
#include "formats/printable.h"

namespace tailcap::views {

using formats::Duration;
using formats::Time;
using model::ExchangeId;

namespace {

constexpr std::size_t kMaxRelated = 2000;
constexpr std::size_t kMaxRoutes = 50;
constexpr unsigned kAttempts = 4;

// What the original says.
class Original {
 public:
  explicit Original(const CutOptions& options) : analysis_(analyze(options)) {
    const auto& rows = analysis_.table.rows;
    by_id_.reserve(rows.size());
    for (std::uint32_t i = 0; i < rows.size(); ++i) by_id_.emplace_back(rows.id(i), i);
    for (const auto& [request, cause] : analysis_.table.causes)
      if (cause.parent.connection != 0) calls_.emplace_back(cause.parent, request);
    std::sort(by_id_.begin(), by_id_.end());
    std::sort(calls_.begin(), calls_.end());
  }

  const pipeline::Analysis& analysis() const { return analysis_; }
  const model::Rows& rows() const { return analysis_.table.rows; }
  std::optional<std::uint32_t> row(ExchangeId id) const {
    const auto found = std::ranges::lower_bound(by_id_, id, {}, &std::pair<ExchangeId, std::uint32_t>::first);
    return found == by_id_.end() || found->first != id ? std::nullopt : std::optional(found->second);
  }
  Time end(std::uint32_t i) const {
    return rows().has_duration(i) ? rows().start(i) + rows().duration(i) : rows().start(i);
  }

  // Those asked for, the slowest first; most 0: all.
  std::vector<std::uint32_t> slowest(const pipeline::Options& selection, std::size_t most) const {
    const pipeline::Wanted asked(selection, analysis_);
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < rows().size(); ++i)
      if (rows().has_duration(i) && known(rows().start(i)) && asked(analysis_.table, i)) out.push_back(i);
    std::sort(out.begin(), out.end(), [&](std::uint32_t a, std::uint32_t b) {
      return rows().duration(a) != rows().duration(b) ? rows().duration(a) > rows().duration(b) : a < b;
    });
    if (most > 0 && out.size() > most) out.resize(most);
    return out;
  }

  // For each chosen one the next whole request of its route and role around the median, up to `most`.
  std::vector<std::uint32_t> controls(const std::vector<std::uint32_t>& chosen, std::size_t most) const {
    const std::set<std::uint32_t> taken(chosen.begin(), chosen.end());
    std::map<std::pair<model::TextId, model::Role>, std::vector<std::uint32_t>> routes;
    for (const std::uint32_t i : chosen) routes[{rows().route(i), rows().role(i)}];
    for (std::uint32_t i = 0; i < rows().size(); ++i) {
      const auto route = routes.find({rows().route(i), rows().role(i)});
      if (route != routes.end() && rows().has_duration(i) && known(rows().start(i)) && rows().taints(i) == 0)
        route->second.push_back(i);
    }
    for (auto& [key, all] : routes) {
      std::sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) {
        return rows().duration(a) != rows().duration(b) ? rows().duration(a) < rows().duration(b) : a < b;
      });
      if (all.empty()) continue;
      const Duration median = rows().duration(all[all.size() / 2]);
      std::erase_if(all, [&](std::uint32_t i) { return taken.contains(i); });
      std::sort(all.begin(), all.end(), [&](std::uint32_t a, std::uint32_t b) {
        const auto da = std::abs((rows().duration(a) - median).count()),
                   db = std::abs((rows().duration(b) - median).count());
        return da != db ? da < db : a < b;
      });
    }
    std::vector<std::uint32_t> out;
    for (std::size_t turn = 0; out.size() < most; ++turn) {
      bool any = false;
      for (const auto& [key, all] : routes) {
        if (turn >= all.size() || out.size() >= most) continue;
        out.push_back(all[turn]);
        any = true;
      }
      if (!any) break;
    }
    return out;
  }

  // With parents, calls, other ends and the requests that they waited for.
  std::set<std::uint32_t> related(std::vector<std::uint32_t> open) const {
    std::set<std::uint32_t> all(open.begin(), open.end());
    const auto add = [&](ExchangeId id) {
      const auto i = id.connection == 0 ? std::nullopt : row(id);
      if (i && all.size() < kMaxRelated && all.insert(*i).second) open.push_back(*i);
    };
    while (!open.empty()) {
      const std::uint32_t i = open.back();
      open.pop_back();
      const ExchangeId id = rows().id(i);
      add(rows().peer(i));
      if (const model::Cause* cause = analysis_.table.causes.find(id)) add(cause->parent);
      for (const auto& [parent, call] :
           std::ranges::equal_range(calls_, id, {}, &std::pair<ExchangeId, ExchangeId>::first))
        add(call);
      for (const model::Culprit& culprit : analysis_.table.partitions.culprits(id)) add(culprit.request);
    }
    return all;
  }

  std::string text(std::uint32_t i) const { return text_of(analysis_, i); }

  static std::string text_of(const pipeline::Analysis& analysis, std::uint32_t i) {
    const model::Request row = analysis.table.rows[i];
    report::RequestExtras extras;
    if (row.id.connection < analysis.endpoints.size()) {
      extras.local = analysis.endpoints[row.id.connection].local;
      extras.remote = analysis.endpoints[row.id.connection].remote;
    }
    extras.split = analysis.splits.find(row.id);
    std::string out;
    report::append_request(out, analysis.table, row, analysis.study.quality.clock, extras);
    return out;
  }

 private:
  static pipeline::Analysis analyze(const CutOptions& options) {
    pipeline::Options all;
    all.partition = all.keep_splits = true;
    all.routes = options.selection.routes;
    all.max_routes = options.selection.max_routes;
    return pipeline::analyze(options.in, all);
  }

  pipeline::Analysis analysis_;
  std::vector<std::pair<ExchangeId, std::uint32_t>> by_id_;  // ascending
  std::vector<std::pair<ExchangeId, ExchangeId>> calls_;     // of a request, ascending
};

// Each attempt keeps more than the one before; the last keeps everything until the last of the requests ended.
cut::KeptPart part_for(const Original& original, const std::set<std::uint32_t>& all, Duration context,
                       unsigned attempt) {
  const auto& rows = original.rows();
  if (attempt > 1) context *= 20;
  std::vector<cut::KeptWindow> windows;
  std::set<std::uint32_t> threads;
  for (const std::uint32_t i : all) {
    const Time start = known(rows.start(i)) ? rows.start(i) : formats::time_from(1);
    const std::int64_t from = formats::nanoseconds(start) - context.count();
    windows.push_back({formats::time_from(std::max<std::int64_t>(from, 1)), original.end(i) + context});
    if (const auto tid = rows[i].tid; tid != 0) threads.insert(tid);
  }
  std::sort(windows.begin(), windows.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  cut::KeptPart part;
  for (const cut::KeptWindow& w : windows) {
    if (!part.windows.empty() && w.from <= part.windows.back().to)
      part.windows.back().to = std::max(part.windows.back().to, w.to);
    else
      part.windows.push_back(w);
  }
  part.all_connections = attempt >= 1;
  part.all_others = attempt >= 3;
  // Keeps the connections of all requests on the same threads (later: of all) that overlap a window.
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    const Time start = rows.start(i), end = original.end(i);
    const auto next = std::lower_bound(part.windows.begin(), part.windows.end(), start,
                                       [](const cut::KeptWindow& w, Time t) { return w.to < t; });
    const bool overlaps = next != part.windows.end() && next->from <= end;
    if (!all.contains(i) && !(overlaps && (attempt > 0 || threads.contains(rows[i].tid)))) continue;
    const auto connection = rows.id(i).connection;
    const auto& ends = original.analysis().endpoints;
    if (connection >= ends.size()) continue;
    const Time until = part.windows.back().to;
    if (ends[connection].socket != 0) part.connections[ends[connection].socket] = until;
    part.all_sessions = part.all_sessions || rows[i].tls || ends[connection].socket == 0;
  }
  return part;
}

std::vector<ExchangeId> ids_of(const Original& original, const std::set<std::uint32_t>& all) {
  std::vector<ExchangeId> ids;
  for (const std::uint32_t i : all) ids.push_back(original.rows().id(i));
  std::sort(ids.begin(), ids.end());
  return ids;
}

cut::Notes notes_of(const Original& original, const std::vector<ExchangeId>& ids, std::size_t chosen) {
  model::CutNote note;
  note.shown = chosen;
  note.requests = original.rows().size();
  note.ids = ids;
  for (const model::RouteStudy& route : original.analysis().study.routes) {
    if (note.routes.size() == kMaxRoutes) break;
    model::CutRoute line{route.method, route.route, route.role, route.count, {}};
    for (std::size_t q = 0; q < line.latency.size() && q < route.latency.size(); ++q)
      line.latency[q] =
          route.latency[q].support == model::Support::refused || route.latency[q].support == model::Support::at_least
              ? -1
              : route.latency[q].value.count();
    note.routes.push_back(std::move(line));
  }
  return note.to_notes();
}

// The requests of `ids` that read differently in the copy.
std::set<ExchangeId> different(const Original& original, const std::string& out, const CutOptions& options,
                               const std::vector<ExchangeId>& ids) {
  pipeline::Options all;
  all.partition = all.keep_splits = true;
  all.study = true;
  all.routes = options.selection.routes;
  all.max_routes = options.selection.max_routes;
  const pipeline::Analysis copy = pipeline::analyze(out, all);
  std::map<ExchangeId, std::uint32_t> rows;
  for (std::uint32_t i = 0; i < copy.table.rows.size(); ++i) rows.emplace(copy.table.rows.id(i), i);
  std::set<ExchangeId> wrong;
  for (const ExchangeId id : ids) {
    const auto there = rows.find(id);
    const auto was = original.row(id);
    if (there == rows.end() || !was || Original::text_of(copy, there->second) != original.text(*was)) wrong.insert(id);
  }
  return wrong;
}

}  // namespace

CutResult cut(const CutOptions& options) {
  formats::refuse_itself(options.in, options.out);
  if (model::CutNote::from_notes(pipeline::Replay(options.in).preamble().notes))
    throw std::runtime_error(formats::printable(options.in) + " is a part of a capture already; cut the original");
  const Original original(options);
  std::vector<std::uint32_t> chosen = original.slowest(options.selection, options.slowest);
  if (chosen.empty()) throw std::runtime_error("no request with a known duration matches: there is nothing to cut");
  CutResult result;
  result.requests = original.rows().size();
  result.in_bytes = original.analysis().study.quality.file.file_bytes;
  result.in_events = original.analysis().study.quality.file.events;
  result.damaged = original.analysis().damaged;
  std::size_t controls = options.controls;
  bool force = options.force;
  for (unsigned attempt = 0;;) {
    const auto typical = original.controls(chosen, controls);
    std::vector<std::uint32_t> wanted = chosen;
    wanted.insert(wanted.end(), typical.begin(), typical.end());
    std::set<std::uint32_t> all = original.related(wanted);
    std::vector<ExchangeId> shown = ids_of(original, all);
    const cut::KeptPart part = part_for(original, all, options.context, attempt);
    cut::Written written = cut::copy(options.in, options.out, part, notes_of(original, shown, wanted.size()), force);
    force = true;
    ++result.attempts;
    const std::set<ExchangeId> wrong = different(original, options.out, options, shown);
    std::string bad;
    for (const std::uint32_t i : wanted)
      if (const ExchangeId id = original.rows().id(i); wrong.contains(id) && bad.empty())
        bad = std::to_string(id.connection) + "." + std::to_string(id.index);
    if (!bad.empty() && ++attempt < kAttempts) continue;
    if (!bad.empty()) {
      std::filesystem::remove(options.out);
      throw std::runtime_error("request " + bad +
                               " would read differently in a part of the capture; nothing was written");
    }
    if (options.max_bytes > 0 && written.file_bytes > options.max_bytes) {
      if (controls == 0 && chosen.size() <= 1) {
        std::filesystem::remove(options.out);
        throw std::runtime_error("even one request takes " + std::to_string(written.file_bytes) +
                                 " bytes; give a shorter --context or a larger --max-size");
      }
      if (controls == 0) chosen.resize((chosen.size() + 1) / 2);
      controls = typical.size() / 2;
      attempt = 0;
      continue;
    }
    // Others on their way that read differently are not shown.
    if (!wrong.empty()) {
      std::erase_if(shown, [&](ExchangeId id) { return wrong.contains(id); });
      written = cut::copy(options.in, options.out, part, notes_of(original, shown, wanted.size()), true);
    }
    result.chosen = chosen.size();
    result.controls = typical.size();
    result.related = shown.size() - wanted.size();
    result.events = written.events;
    result.file_bytes = written.file_bytes;
    return result;
  }
}

}  // namespace tailcap::views
