#include "analyze/spans/carriers.h"

#include <algorithm>
#include <variant>

#include "formats/event.h"
#include "formats/socket_event.h"

namespace tailcap::spans {
namespace {

using formats::Duration;
using formats::Event;
using formats::known;
using formats::SocketId;
using formats::Time;
using model::Request;
using model::Role;

constexpr Duration kInstant{1};
// Sequence numbers wrap at four times this: a larger range of bytes would be ambiguous.
constexpr std::uint32_t kMaxBytes = 1u << 30;
constexpr std::size_t kMaxBack =
    1024;  // requests of one connection that are searched for the owner of bytes sent again

}  // namespace

Carriers::Carriers(const model::RequestTable& table, const AllEnds& ends)
    : table_(table), carriers_(table.rows.size()) {
  std::unordered_map<model::ConnectionId, Time> next_start;  // of the request after this one on its connection
  for (std::uint32_t i = static_cast<std::uint32_t>(table.rows.size()); i-- > 0;) {
    const Request row = table.rows[i];
    if (!known(row.start)) continue;
    Carrier& c = carriers_[i];
    c.from = row.start;
    c.pid = row.pid;
    if (row.role == Role::server && row.has_phases) c.from += Duration{row.phases[0]};
    const auto next = next_start.find(row.id.connection);
    if (row.has_duration)
      c.to = row.start + row.duration;
    else if (row.outcome == model::Outcome::in_flight || next == next_start.end())
      c.to = formats::kMaxTime;
    else
      c.to = std::max(c.from, next->second);
    next_start[row.id.connection] = row.start;
    if (row.id.connection >= ends.size()) continue;
    const SocketId socket = ends[row.id.connection].socket;
    if (socket == 0) continue;
    // The send that ended it is of it, and is stamped with its end.
    sockets_[socket].add(row.start, c.to == formats::kMaxTime ? c.to : c.to + kInstant, i);
    rows_of_[socket].push_back(i);
  }
  for (auto& [socket, intervals] : sockets_) intervals.settle();
  for (auto& [socket, rows] : rows_of_) std::reverse(rows.begin(), rows.end());
}

void Carriers::push(const Event& event) {
  const auto* io = std::get_if<formats::Io>(&event.body);
  if (!io || io->length == 0) return;
  const auto at = sockets_.find(io->socket);
  if (at == sockets_.end()) return;
  const std::uint32_t row = at->second.at(event.time);
  if (row >= Intervals::kSeveral) return;
  Carrier& c = carriers_[row];
  const bool out = io->direction == formats::Direction::out;
  if (event.thread.tid != 0) {
    if (c.tid != 0 && c.tid != event.thread.tid) c.threads_differ = true;
    c.tid = event.thread.tid;
    if (c.pid == 0) c.pid = event.thread.pid;
  }
  if (event.goroutine != 0 && out && table_.rows.role(row) == Role::server) {
    if (c.goroutine != 0 && c.goroutine != event.goroutine) c.goroutines_differ = true;
    c.goroutine = event.goroutine;
  }
  if (event.goroutine != 0) c.threads_differ = true;  // goroutines change threads
  if (out) {
    const auto position = static_cast<std::uint32_t>(io->position);
    if (!c.sent) {
      c.first = position;
      c.end = position;
    }
    c.sent = true;
    if (static_cast<std::int32_t>(position + io->length - c.end) > 0) c.end = position + io->length;
  }
}

void Carriers::settle() {
  for (std::uint32_t i = 0; i < carriers_.size(); ++i) {
    Carrier& c = carriers_[i];
    if (!known(c.from)) continue;
    const bool server = table_.rows.role(i) == Role::server;
    if (const std::uint64_t g = table_.handler_goroutines.find(table_.rows.id(i)); g != 0) {
      c.goroutine = g;
      c.goroutines_differ = false;
    }
    if (c.goroutine != 0 && !c.goroutines_differ)
      goroutines_[{c.pid, c.goroutine}].add(c.from, c.to, i);
    else if (c.goroutine == 0 && c.tid != 0 && !c.threads_differ)
      (server ? serving_ : calling_)[c.tid].add(c.from, c.to, i);
    if (!server || c.pid == 0) continue;
    Served& s = served_[c.pid];
    s.ended_by.push_back(s.rows.empty() ? c.to : std::max(c.to, s.ended_by.back()));
    s.rows.push_back(i);
  }
  for (auto* threads : {&serving_, &calling_})
    for (auto& [tid, intervals] : *threads) intervals.settle();
  for (auto& [g, intervals] : goroutines_) intervals.settle();
}

template <class Map, class Key>
std::uint32_t Carriers::find(const Map& map, const Key& key, Time from, Time to) {
  const auto at = map.find(key);
  if (at == map.end() || to < from) return Intervals::kNone;
  const std::uint32_t row = at->second.at(from);
  if (row >= Intervals::kSeveral || to == from) return row;
  const std::uint32_t last = at->second.at(to - kInstant);
  return last == row ? row : last == Intervals::kSeveral ? last : Intervals::kNone;
}

std::uint32_t Carriers::by_thread(const Event& event, Time from, Time to) const {
  return by_thread(event.thread, event.goroutine, from, to);
}

std::uint32_t Carriers::by_thread(formats::Thread thread, std::uint64_t goroutine, Time from, Time to) const {
  if (!known(from)) return Intervals::kNone;
  if (goroutine != 0) return find(goroutines_, GoroutineOf{thread.pid, goroutine}, from, to);
  const std::uint32_t row = find(serving_, thread.tid, from, to);
  return row != Intervals::kNone ? row : find(calling_, thread.tid, from, to);
}

std::uint32_t Carriers::by_time(SocketId socket, Time at) const {
  const auto found = sockets_.find(socket);
  return found == sockets_.end() ? Intervals::kNone : found->second.at(at);
}

std::uint32_t Carriers::by_bytes(SocketId socket, std::uint32_t position, Time at) const {
  const auto found = rows_of_.find(socket);
  if (found == rows_of_.end()) return Intervals::kNone;
  const auto& rows = found->second;
  auto i = std::upper_bound(rows.begin(), rows.end(), at,
                            [&](Time t, std::uint32_t row) { return t < table_.rows.start(row); });
  for (std::size_t n = 0; i != rows.begin() && n < kMaxBack; ++n) {
    const Carrier& c = carriers_[*--i];
    const std::uint32_t length = c.end - c.first;
    if (c.sent && length < kMaxBytes && position - c.first < length) return *i;
  }
  return Intervals::kNone;
}

std::vector<std::uint32_t> Carriers::served(std::uint32_t pid, Time from, Time to) const {
  std::vector<std::uint32_t> out;
  const auto found = served_.find(pid);
  if (found == served_.end()) return out;
  const Served& s = found->second;
  auto i =
      static_cast<std::size_t>(std::lower_bound(s.rows.begin(), s.rows.end(), to,
                                                [&](std::uint32_t row, Time t) { return table_.rows.start(row) < t; }) -
                               s.rows.begin());
  for (std::size_t n = 0; i-- > 0 && s.ended_by[i] > from && n < kMaxServed; ++n)
    if (carriers_[s.rows[i]].to > from) out.push_back(s.rows[i]);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace tailcap::spans
