#include "analyze/views/logs/log_join.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <unordered_set>

#include "analyze/model/trace/span_context.h"
#include "formats/machine.h"
#include "ground/container_path.h"

namespace tailcap::views {
namespace {

using model::JoinedLine;
using model::LogEvidence;
using model::LoggedLine;
using model::LogMiss;
using model::LogTime;

constexpr std::int64_t kNever = INT64_MAX / 4;
constexpr std::size_t kShortId = 8;  // characters; a shorter id says little without a time

// The trace of a row's context, as TraceContext::text() writes it.
std::optional<model::SpanContext> trace_of_row(std::string_view text) {
  model::SpanContext out;
  const std::string_view hex =
      text.size() >= 35 && text[2] == '-' ? text.substr(3, 32) : text.substr(0, text.find('/'));
  if (!model::set_trace(out, hex) || !out.has_trace()) return {};
  return out;
}

bool is_timed(const LoggedLine& line) { return line.time.state == LogTime::State::known; }

}  // namespace

LogJoin::LogJoin(const model::RequestTable& table, const model::WallClock& clock, formats::Time begin,
                 formats::Time end, formats::Duration error)
    : table_(table),
      rows_(table.all()),
      clock_(clock),
      begin_(clock.realtime(begin)),
      end_(clock.realtime(end)),
      error_([&] {
        std::int64_t out = error.count();
        for (const auto& step : clock.steps()) out += std::abs(step.by);
        return std::min(out, kNever);
      }()),
      offset_(begin_ - formats::nanoseconds(begin)) {
  for (std::uint32_t i = 0; i < rows_.size(); ++i) {
    const model::Request row = rows_[i];
    if (row.traceparent != 0)
      if (const auto trace = trace_of_row(table.texts[row.traceparent]))
        traces_.push_back({trace->trace_high, trace->trace_low, i});
    if (row.request_id != 0) request_ids_[table.texts[row.request_id]].push_back(i);
    const bool ends = row.has_duration || (row.at_least >= 0 && row.outcome != model::Outcome::in_flight &&
                                           row.outcome != model::Outcome::unknown);
    const Span span = span_of(i);
    const Placed placed{span.from, span.to, i};
    const bool server = row.role == model::Role::server;
    const std::uint32_t pid = number_of(i);
    if (pid != 0) add(by_pid_[pid], server, placed, !ends);
    if (row.comm != 0) add(by_name_[row.comm], server, placed, !ends);
    if (pid == 0) continue;
    const auto [known, fresh] = container_of_pid_.try_emplace(row.pid, 0);
    if (fresh)
      if (const auto* life = table.processes.at(row.pid, row.start))
        if (const std::string id = ground::container_of(life->cgroup).id; !id.empty())
          known->second = containers_.try_emplace(id, containers_.size() + 1).first->second;
    if (known->second != 0) add(by_container_[known->second], server, placed, !ends);
  }
  std::ranges::sort(traces_, {}, [](const OfTrace& t) { return std::tuple(t.high, t.low, t.row); });
  for (auto& [_, group] : by_pid_) finish(group);
  for (auto& [_, group] : by_name_) finish(group);
  for (auto& [_, group] : by_container_) finish(group);
}

void LogJoin::add(Group& group, bool server, const Placed& placed, bool open) {
  if (server && !group.serves) {
    group = {};
    group.serves = true;
  }
  if (server == group.serves) (open ? group.open : group.over).push_back(placed);
}

void LogJoin::finish(Group& group) {
  std::ranges::stable_sort(group.over, {}, &Placed::from);
  std::ranges::stable_sort(group.open, {}, &Placed::from);
  group.latest.reserve(group.over.size());
  for (const Placed& p : group.over)
    group.latest.push_back(group.latest.empty() ? p.to : std::max(group.latest.back(), p.to));
}

std::uint32_t LogJoin::number_of(std::uint32_t row) const { return formats::number_of(rows_.work(row).pid); }

std::uint64_t LogJoin::container_of(std::uint32_t row) const {
  const auto known = container_of_pid_.find(rows_.work(row).pid);
  return known == container_of_pid_.end() ? 0 : known->second;
}

LogJoin::Span LogJoin::span_of(std::uint32_t i) const {
  const model::Request row = rows_[i];
  Span out{-kNever, kNever};
  if (formats::known(row.start)) out.from = clock_.realtime(row.start);
  if (row.has_duration)
    out.to = clock_.realtime(row.start + row.duration);
  else if (row.at_least >= 0 && formats::known(row.start))
    out.to = clock_.realtime(row.start + formats::Duration{row.at_least});
  if (out.to != kNever) out.to += kAfter.count();
  return out;
}

// Written then: its digits were cut off or rounded.
LogJoin::Span LogJoin::span_of(const LoggedLine& line) const {
  return {line.time.at - line.time.late - line.time.precision / 2 - error_,
          line.time.at + line.time.precision + error_};
}

LogJoin::Writer LogJoin::writer_of(const LoggedLine& line, std::string_view given) const {
  using enum Writer::Kind;
  if (!line.container.empty()) {
    const auto number = containers_.find(line.container);
    if (number == containers_.end()) return {unknown, true};
    return {in_container, true, &by_container_.at(number->second), number->second};
  }
  const auto named = [&](std::string_view text, bool sure) -> Writer {
    const model::TextId id = table_.texts.find(text);
    const auto group = by_name_.find(id);
    if (id == 0 || group == by_name_.end()) return {unknown, sure};
    return {Writer::Kind::service, sure, &group->second, id};
  };
  if (line.pid != 0) {
    const auto group = by_pid_.find(line.pid);
    const auto fits = [&] {
      const Group& g = group->second;
      const std::uint32_t row = g.over.empty() ? g.open.front().row : g.over.front().row;
      if (!given.empty() && table_.texts[rows_.names(row).comm] != given) return false;
      return line.pid_of_host || container_of(row) == 0;  // in a container, a process has another number
    };
    if (group != by_pid_.end() && fits()) return {process, true, &group->second, line.pid};
    if (line.pid_of_host && given.empty()) return {unknown, true};
  }
  if (!given.empty()) return named(given, true);
  if (!line.service.empty()) return named(line.service, false);
  return {line.pid != 0 ? unknown : none, false};
}

bool LogJoin::is_of(const Writer& writer, std::uint32_t row) const {
  switch (writer.kind) {
    case Writer::Kind::process:
      return number_of(row) == writer.key;
    case Writer::Kind::service:
      return rows_.names(row).comm == writer.key;
    case Writer::Kind::in_container:
      return container_of(row) == writer.key;
    case Writer::Kind::unknown:
      return !writer.sure;
    case Writer::Kind::none:
      return true;
  }
  return false;
}

std::vector<std::uint32_t> LogJoin::of_trace(const std::string& hex) const {
  model::SpanContext wanted;
  if (!model::set_trace(wanted, hex)) return {};
  const auto [from, to] = std::ranges::equal_range(traces_, std::pair(wanted.trace_high, wanted.trace_low), {},
                                                   [](const OfTrace& t) { return std::pair(t.high, t.low); });
  std::vector<std::uint32_t> out;
  std::ranges::transform(from, to, std::back_inserter(out), &OfTrace::row);
  return out;
}

void LogJoin::name(const std::vector<std::uint32_t>& rows, LogEvidence evidence, JoinedLine& out) const {
  out.evidence = evidence;
  out.count = rows.size();
  for (std::size_t i = 0; i < std::min(rows.size(), JoinedLine::kMostNamed); ++i)
    out.requests.push_back(rows_.id(rows[i]));
}

void LogJoin::by_id(std::vector<std::uint32_t> rows, const Writer& writer, LogEvidence evidence,
                    JoinedLine& out) const {
  std::erase_if(rows, [&](std::uint32_t row) { return !is_of(writer, row); });
  if (rows.empty()) {
    out.miss = LogMiss::other_process;
    return;
  }
  const auto served = [&](std::uint32_t row) { return rows_.role(row) == model::Role::server; };
  if (writer.group && std::ranges::any_of(rows, served)) {
    std::erase_if(rows, [&](std::uint32_t row) { return !served(row); });
  } else {
    // Both ends of a connection are one request.
    std::unordered_set<std::uint64_t> servers;
    const auto key = [](model::ExchangeId id) { return std::uint64_t{id.connection} << 32 | id.index; };
    for (const std::uint32_t row : rows)
      if (served(row)) servers.insert(key(rows_.id(row)));
    std::erase_if(rows, [&](std::uint32_t row) { return !served(row) && servers.contains(key(rows_.peer(row))); });
  }
  if (rows.size() > 1 && is_timed(out.line)) {
    const Span line = span_of(out.line);
    std::vector<std::uint32_t> then;
    std::ranges::copy_if(rows, std::back_inserter(then), [&](std::uint32_t row) {
      const Span span = span_of(row);
      return span.from <= line.to && span.to >= line.from;
    });
    if (!then.empty()) rows = std::move(then);
  }
  name(rows, evidence, out);
}

bool LogJoin::has_other_id(const LoggedLine& line, std::uint32_t row) const {
  const model::Request request = rows_[row];
  if (!line.trace_id.empty() && request.traceparent != 0)
    if (const auto trace = trace_of_row(table_.texts[request.traceparent]);
        trace && model::trace_hex(*trace) != line.trace_id)
      return true;
  return !line.request_id.empty() && request.request_id != 0 && table_.texts[request.request_id] != line.request_id;
}

void LogJoin::by_process(const Writer& writer, JoinedLine& out) const {
  if (!is_timed(out.line)) {
    out.miss = out.line.time.state == LogTime::State::none ? LogMiss::no_time : LogMiss::no_zone;
    return;
  }
  const Span line = span_of(out.line);
  if (line.to < begin_ || line.from > end_) {
    out.miss = LogMiss::outside;
    return;
  }
  if (!writer.group) {
    out.miss = writer.kind == Writer::Kind::none ? LogMiss::no_process : LogMiss::unknown_process;
    return;
  }
  const Group& group = *writer.group;
  std::vector<std::uint32_t> rows;
  const auto begun = [&](const std::vector<Placed>& all) {
    return static_cast<std::size_t>(std::ranges::upper_bound(all, line.to, {}, &Placed::from) - all.begin());
  };
  for (std::size_t i = begun(group.over); i > 0 && group.latest[i - 1] >= line.from; --i)
    if (group.over[i - 1].to >= line.from) rows.push_back(group.over[i - 1].row);
  for (std::size_t i = 0; i < begun(group.open); ++i) rows.push_back(group.open[i].row);
  if (rows.empty()) {
    out.miss = LogMiss::none_under_way;
    return;
  }
  if (rows.size() == 1 && has_other_id(out.line, rows.front())) {
    out.miss = LogMiss::other_id;
    return;
  }
  std::ranges::sort(rows);
  name(rows, LogEvidence::process, out);
}

JoinedLine LogJoin::join(LoggedLine line, std::string_view service) const {
  JoinedLine out;
  out.line = std::move(line);
  if (is_timed(out.line)) {
    const auto first = formats::time_from(std::max<std::int64_t>(out.line.time.at - offset_, 1));
    // The clock may have been set since the beginning.
    const std::int64_t by = clock_.realtime(first) - out.line.time.at;
    out.at = formats::time_from(std::max<std::int64_t>(formats::nanoseconds(first) - by, 1));
    out.at -= formats::Duration{out.line.time.late};
    if (out.at <= formats::kNoTime || !formats::within_range(out.at)) out.at = formats::kNoTime;
    out.within = formats::Duration{out.line.time.late + out.line.time.precision};
  }
  if (out.line.contradicts) {
    out.miss = LogMiss::contradicts;
    return out;
  }
  const Writer writer = writer_of(out.line, service);
  if (!out.line.trace_id.empty()) {
    if (std::vector<std::uint32_t> rows = of_trace(out.line.trace_id); !rows.empty()) {
      by_id(std::move(rows), writer, LogEvidence::trace_id, out);
      return out;
    }
  }
  const auto same = out.line.request_id.empty() ? request_ids_.end() : request_ids_.find(out.line.request_id);
  if (same != request_ids_.end() && (is_timed(out.line) || out.line.request_id.size() >= kShortId)) {
    std::vector<std::uint32_t> rows = same->second;
    if (is_timed(out.line)) {
      const Span then = span_of(out.line);
      std::erase_if(rows, [&](std::uint32_t row) {
        const Span span = span_of(row);
        return span.from - kClose.count() > then.to || span.to + kClose.count() < then.from;
      });
    }
    if (rows.empty())
      out.miss = LogMiss::other_time;
    else
      by_id(std::move(rows), writer, LogEvidence::request_id, out);
    return out;
  }
  by_process(writer, out);
  return out;
}

}  // namespace tailcap::views
