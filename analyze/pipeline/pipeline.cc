#include "analyze/pipeline/pipeline.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "analyze/model/study/unread.h"
#include "analyze/pipeline/beginning.h"
#include "analyze/pipeline/exemplars.h"
#include "analyze/pipeline/label_pass.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/pipeline/window/numbers.h"
#include "analyze/pipeline/wire_pass.h"
#include "analyze/tail/study.h"
#include "ground/threads/background.h"

namespace tailcap::pipeline {
namespace {

bool damaged(const model::Quality& quality) {
  return quality.lost > 0 || (quality.part_read() && quality.file.lost > 0) || !quality.losses.empty() ||
         !model::all_read(quality) || quality.file.damaged_blocks > 0 ||
         quality.file.state != formats::CaptureState::complete || !formats::stopped_captures().empty();
}

// Leaves the requests for which chosen(row number) holds. explain: what the others are may explain those that are left.
template <class Chosen>
void keep(const Options& options, Analysis& out, bool explain, Chosen&& chosen) {
  std::vector<std::uint32_t> kept;
  for (std::uint32_t i = 0; i < out.table.rows.size(); ++i)
    if (chosen(i)) kept.push_back(i);
  if (explain)
    out.table.before = std::exchange(out.table.rows, out.table.rows.only(kept));
  else
    out.table.rows.keep(kept);
  if (!options.keep_headers) return;
  for (std::size_t n = 0; n < kept.size(); ++n)
    if (kept[n] != n) out.headers[n] = std::move(out.headers[kept[n]]);
  out.headers.resize(kept.size());
}

// Leaves the requests that are meant.
void select(const Options& options, Analysis& out) {
  const Wanted wanted(options, out);
  if (wanted.of_cut()) keep(options, out, false, [&](std::uint32_t i) { return wanted.in_cut(out.table, i); });
  if (!wanted.all()) keep(options, out, options.study, [&](std::uint32_t i) { return wanted(out.table, i); });
  if (wanted.from()) out.study.begin = std::clamp(*wanted.from(), out.study.begin, out.study.end);
  if (wanted.to()) out.study.end = std::clamp(*wanted.to(), out.study.begin, out.study.end);
}

// The process that serves at the other end, where all requests that were served there have one name.
void name_peers(Analysis& out) {
  auto& uses = out.table.uses.all();
  if (uses.empty()) return;
  const auto end_of = [&](model::ConnectionId c) { return c < out.endpoints.size() ? out.endpoints[c] : Endpoints{}; };
  std::map<std::pair<std::uint32_t, model::TextId>, model::TextId> names;  // by namespace and address; 0: several
  const model::Rows& rows = out.table.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows.role(i) != model::Role::server) continue;
    const Endpoints end = end_of(rows.id(i).connection);
    const auto [at, fresh] = names.try_emplace({end.net_namespace, end.local}, rows.names(i).comm);
    if (!fresh && at->second != rows.names(i).comm) at->second = 0;
  }
  for (auto& [id, use] : uses) {
    const Endpoints end = end_of(id.connection);
    if (const auto at = names.find({end.net_namespace, end.remote}); end.remote != 0 && at != names.end())
      use.peer = at->second;
  }
}

// read_until: see Quality.
Analysis finish(WirePass& wire, LabelPass* labels, const formats::Preamble& preamble, const formats::FileSummary& file,
                formats::Time read_until, const Options& options) {
  Analysis out;
  partition::CourseBook courses;
  if (labels) courses = labels->finish(out);
  wire.requests().give(out);
  // What was under way where the reading ended may well be complete in the capture. It was not asked for.
  if (formats::known(read_until))
    keep(options, out, false, [&](std::uint32_t i) { return !has(out.table.rows.taints(i), model::Taint::cut_off); });
  if (options.past)
    keep(options, out, false, [&](std::uint32_t i) { return out.table.rows.start(i) >= options.past->until; });
  out.study.quality.preamble = preamble;
  out.study.quality.file = file;
  out.study.quality.read_until = read_until;
  wire.fill(out.table, out.study);
  out.endpoints = wire.connections().take_endpoints();
  out.connections = wire.connections().take_all();
  name_peers(out);
  out.damaged = damaged(out.study.quality);
  if (options.keep_splits) out.splits = model::Splits(out.table, model::ClockErrors(preamble));
  if (options.past) out.numberless = numberless(out.table);
  const formats::Time begin = out.study.begin;
  select(options, out);
  if (options.study) tail::study_requests(out.table, out.study, options.threads);
  if (options.past) {
    // The study is that of the window; times of a request are shown since the beginning of the recording.
    if (!options.from) out.study.begin = std::min(begin, file.first);
    out.study.quality.read_from = options.past->until;
  }
  const bool some = options.exemplars > 0 && !(labels && labels->all_courses());
  if (!some) {
    out.courses = courses.all();
    return out;
  }
  std::vector<model::ExchangeId> shown = shown_exemplars(out.table, out.study, options.exemplars);
  if (options.follow.connection != 0) shown.push_back(options.follow);
  out.courses = courses.of(std::move(shown));
  return out;
}

Analysis finish(WirePass& wire, LabelPass* labels, Replay& replay, const Options& options) {
  return finish(wire, labels, replay.preamble(), replay.summary(),
                replay.ends_early() ? replay.reached() : formats::kNoTime, options);
}

}  // namespace

Analysis analyze(const std::string& path, const Options& options) {
  Replay replay(path, options.threads, options.progress);
  return analyze(replay, options, {});
}

Analysis analyze(Replay& replay, const Options& options, std::span<SecondReading* const> beside) {
  Beginning beginning(options, replay);
  std::optional<formats::RequestAllowance> allowance;
  std::optional<WirePass> wire;
  do {
    allowance.emplace(replay.path());
    wire.emplace(replay.preamble(), options, &*allowance);
    wire->read(replay, beginning);
    if (options.partition) replay.prepare();
    wire->end();
  } while (!beginning.decided(*wire));
  if (!options.partition) return finish(*wire, nullptr, replay, options);
  ground::Background begin(options.threads);  // while the labels begin: both only read the table
  begin.run([&] {
    for (SecondReading* const other : beside) other->begin(wire->requests().table(), wire->recording());
  });
  LabelPass labels(*wire, options);
  begin.wait();
  replay.slices([&](std::span<const formats::Event> events, bool last_of_block) {
    labels.push(events, last_of_block);
    for (SecondReading* const other : beside)
      for (const formats::Event& event : events) other->push(event);
  });
  for (SecondReading* const other : beside) other->end(wire->requests().table());
  return finish(*wire, &labels, replay, options);
}

Analysis analyze(const formats::Preamble& preamble, std::span<const formats::Event> events, const Options& options) {
  WirePass wire(preamble, options, nullptr);
  formats::FileSummary file;
  for (const formats::Event& event : events) {
    wire.push(event);
    if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body))
      file.state = end->state;
    else if (!formats::known(file.first) || event.time < file.first)
      file.first = event.time;
    file.last = std::max(file.last, event.time);
  }
  file.events = events.size();
  wire.end();
  if (!options.partition) return finish(wire, nullptr, preamble, file, formats::kNoTime, options);
  LabelPass labels(wire, options);
  labels.push(events, true);
  return finish(wire, &labels, preamble, file, formats::kNoTime, options);
}

}  // namespace tailcap::pipeline
