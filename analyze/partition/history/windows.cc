#include "analyze/partition/history/windows.h"

#include <algorithm>
#include <numeric>

#include "ground/number_sort.h"

namespace tailcap::partition {
namespace {

using formats::nanoseconds;
using model::ExchangeId;
using model::Phase;

// Requests of one connection that are looked at to find those under way at one time.
constexpr std::size_t kMaxLive = 256;

void add(Window& w, Phase phase, Nanos length) {
  if (length <= 0) return;
  const Nanos from = w.stretches == 0 ? w.from : w.stretch[w.stretches - 1u].to;
  w.stretch[w.stretches++] = {phase, from, from + length};
}

// A connection carries several requests at a time.
bool several_at_once(model::Protocol protocol) {
  return protocol == model::Protocol::http2 || protocol == model::Protocol::grpc || has_numbers(protocol);
}

// Without times.
Window window_of(const model::Rows& rows, std::uint32_t row, const model::RowWork& work) {
  Window w;
  w.row = row;
  w.id = rows.id(row);
  w.role = rows.role(row);
  w.streams = work.stream != 0 || has_numbers(rows.protocol(row));
  w.pid = work.pid;
  w.tid = work.tid;
  return w;
}

}  // namespace

std::optional<ExchangeNote> note_of(const model::Exchange& exchange) {
  ExchangeNote note;
  note.id = exchange.id;
  if (known(exchange.continue_done) && known(exchange.request_head_done))
    note.head_done = nanoseconds(exchange.request_head_done);
  const auto& waits =
      exchange.role == model::Role::server ? exchange.response_window_waits : exchange.request_window_waits;
  for (const auto& wait : waits.listed)
    if (model::held_up(wait) && wait.from < wait.to) note.held_up.push_back(wait);
  const auto time = [](formats::Time t) { return known(t) ? nanoseconds(t) : 0; };
  note.unfinished = exchange.outcome == model::Outcome::in_flight && known(exchange.request.first_done) &&
                    !known(exchange.response.first_arrived) && !known(exchange.response.first_done);
  if (note.unfinished) {
    note.first_read = time(exchange.request.first_done);
    if (exchange.request_bytes.has_value()) note.whole = time(exchange.request.last_done);
  }
  if (note.head_done == 0 && note.held_up.empty() && !note.unfinished) return std::nullopt;
  return note;
}

Windows::Windows(const model::RequestTable& table, std::vector<ExchangeNote> notes)
    : table_(table), index_(table.rows), notes_(std::move(notes)) {
  std::sort(notes_.begin(), notes_.end(), [](const ExchangeNote& a, const ExchangeNote& b) { return a.id < b.id; });
  const auto& rows = table.rows;
  const auto n = static_cast<std::uint32_t>(rows.size());
  std::vector<ground::Ranked> ends;
  for (std::uint32_t i = 0; i < n; ++i)
    if (known(rows.start(i)) && rows.has_duration(i) && rows.duration(i).count() > 0)
      ends.push_back({nanoseconds(rows.start(i) + rows.duration(i)), i});
  ground::sort_ranked(ends);
  by_end_.reserve(ends.size());
  for (const ground::Ranked& end : ends) by_end_.push_back(end.place);
  began_.resize(by_end_.size());
  Nanos first = INT64_MAX;
  for (std::size_t i = by_end_.size(); i-- > 0;)
    began_[i] = first = std::min(first, nanoseconds(rows.start(by_end_[i])));
  milestones_.resize(index_.connections());
  for (model::ConnectionId connection = 0; connection < milestones_.size(); ++connection) {
    std::vector<ground::Ranked>& milestones = milestones_[connection];
    for (const std::uint32_t i : index_.of(connection)) {
      if (rows.protocol(i) != model::Protocol::http2 && rows.protocol(i) != model::Protocol::grpc) continue;
      const Window w = window(i);
      if (!w.streams || w.from == 0) continue;
      for (const Nanos t : {w.server() ? w.first : w.from, w.server() ? w.second : w.first, w.third, w.to})
        if (t != 0) milestones.push_back({t, i});
    }
    ground::sort_ranked(milestones);
    milestones.shrink_to_fit();
  }
  for (const auto& [call, cause] : table.causes)
    if (cause.parent.connection != 0) made_.emplace_back(cause.parent, call);
  std::sort(made_.begin(), made_.end());
  for (const auto& [id, goroutine] : table.handler_goroutines.all())
    if (const auto row = find(id)) handling_.push_back({rows.work(*row).pid, goroutine, *row});
  std::sort(handling_.begin(), handling_.end(), [](const Handling& a, const Handling& b) {
    return a.pid != b.pid ? a.pid < b.pid : a.goroutine < b.goroutine;
  });
}

std::optional<std::uint32_t> Windows::handled_by(std::uint32_t pid, std::uint64_t goroutine) const {
  const auto at = std::lower_bound(
      handling_.begin(), handling_.end(), goroutine,
      [&](const Handling& h, std::uint64_t g) { return h.pid != pid ? h.pid < pid : h.goroutine < g; });
  if (at == handling_.end() || at->pid != pid || at->goroutine != goroutine) return std::nullopt;
  return at->row;
}

Window Windows::window(std::uint32_t row) const {
  const model::Rows& rows = table_.rows;
  const model::RowWork work = rows.work(row);
  Window w = window_of(rows, row, work);
  if (!known(rows.start(row))) return w;
  w.from = nanoseconds(rows.start(row));
  w.to = w.from + (rows.has_duration(row) ? rows.duration(row).count() : 0);
  w.phases = rows.has_phases(row);
  if (!w.phases) return w;
  const auto names = model::phases_of(w.role);
  const auto length = [&](std::size_t i) { return work.phases[i]; };
  // Waiting for 100 Continue splits the reading (client: the sending) in two.
  const std::size_t split = w.server() ? 1 : 0;
  if (split == 1) add(w, names[0], length(0));
  const Nanos begin = w.from + (split == 1 ? length(0) : 0);
  Nanos before = length(split);
  if (const ExchangeNote* n = length(split + 1) > 0 ? note(w.id) : nullptr; n && n->head_done != 0)
    before = std::clamp<Nanos>(n->head_done - begin, 0, length(split));
  add(w, names[split], before);
  add(w, names[split + 1], length(split + 1));
  add(w, names[split], length(split) - before);
  for (std::size_t i = split + 2; i < names.size(); ++i) add(w, names[i], length(i));
  const Nanos head = length(split) + length(split + 1);
  if (w.server()) {
    w.first = begin;
    w.second = begin + head;
    w.third = w.to - length(5);
  } else {
    w.first = begin + head;
    w.third = w.to - length(5);
    w.second = w.third - length(4);
  }
  return w;
}

Window Windows::unfinished(std::uint32_t row) const {
  const model::Rows& rows = table_.rows;
  Window w = window_of(rows, row, rows.work(row));
  const formats::Time start = rows.start(row);
  const ExchangeNote* n = !rows.has_duration(row) && known(start) ? note(w.id) : nullptr;
  if (!n || !n->unfinished || end_ <= nanoseconds(start)) return w;
  w.from = std::max(nanoseconds(start), end_ - model::kUnfinishedShown);
  w.to = end_;
  w.phases = true;
  const auto at = [&](Nanos t) { return t == 0 ? end_ : std::clamp(t, w.from, end_); };
  const Nanos whole = at(n->whole);
  if (w.server()) {
    w.first = std::min(at(n->first_read), whole);
    w.second = whole;
    w.third = end_;
    add(w, Phase::arrive, w.first - w.from);
    add(w, Phase::read, w.second - w.first);
    add(w, Phase::work, w.to - w.second);
  } else {
    w.first = whole;
    w.second = w.third = end_;
    add(w, Phase::send, w.first - w.from);
    add(w, Phase::ttfb, w.to - w.first);
  }
  return w;
}

std::vector<std::uint32_t> Windows::all_unfinished() const {
  std::vector<std::uint32_t> out;
  for (const ExchangeNote& n : notes_)
    if (n.unfinished)
      if (const auto row = find(n.id)) out.push_back(*row);
  std::sort(out.begin(), out.end());  // rows are in order of their beginning
  if (out.size() > kMaxUnfinished) out.resize(kMaxUnfinished);
  return out;
}

const ExchangeNote* Windows::note(ExchangeId id) const {
  const auto at =
      std::lower_bound(notes_.begin(), notes_.end(), id, [](const ExchangeNote& n, ExchangeId x) { return n.id < x; });
  return at != notes_.end() && at->id == id ? &*at : nullptr;
}

std::vector<std::uint32_t> Windows::calls_of(ExchangeId id) const {
  std::vector<std::uint32_t> out;
  for (auto at = std::lower_bound(made_.begin(), made_.end(), std::pair{id, ExchangeId{}});
       at != made_.end() && at->first == id; ++at)
    if (const auto row = find(at->second)) out.push_back(*row);
  return out;
}

// Among rows [low, high); high: none.
std::size_t Windows::first_after(std::span<const std::uint32_t> rows, Nanos t, std::size_t low,
                                 std::size_t high) const {
  const auto some = rows.subspan(low, high - low);
  return low + static_cast<std::size_t>(
                   std::ranges::partition_point(
                       some, [&](std::uint32_t row) { return nanoseconds(table_.rows.start(row)) <= t; }) -
                   some.begin());
}

std::size_t Windows::first_after_near(std::span<const std::uint32_t> rows, Nanos t, std::size_t near) const {
  const auto after = [&](std::size_t i) { return nanoseconds(table_.rows.start(rows[i])) > t; };
  std::size_t low = std::min(near, rows.size()), high = low;
  for (std::size_t step = 1; low > 0 && after(low - 1); step *= 2) {
    high = low - 1;
    low -= std::min(low, step);
  }
  for (std::size_t step = 1; high < rows.size() && !after(high); step *= 2) {
    low = high + 1;
    high += std::min(rows.size() - high, step);
  }
  return first_after(rows, t, low, high);
}

std::optional<std::uint32_t> Windows::at(model::ConnectionId connection, Nanos t) const {
  const auto rows = index_.of(connection);
  return before(rows, first_after(rows, t, 0, rows.size()), t);
}

std::optional<std::uint32_t> Windows::before(std::span<const std::uint32_t> rows, std::size_t after, Nanos t) const {
  const auto past = rows.begin() + static_cast<std::ptrdiff_t>(after);
  std::optional<std::uint32_t> found;
  std::size_t looked = 0;
  for (auto it = past; it != rows.begin() && looked < kMaxLive; ++looked) {
    const std::uint32_t row = *--it;
    if (!table_.rows.has_duration(row)) {
      // How long it lasted is not known; on a connection without streams the next begins after it.
      if (it + 1 == past) found = row;
      continue;
    }
    if (nanoseconds(table_.rows.start(row) + table_.rows.duration(row)) < t) {
      if (!several_at_once(table_.rows.protocol(row))) break;
      continue;
    }
    if (found) return std::nullopt;
    found = row;
  }
  return found;
}

bool Windows::ends(ExchangeId id) const {
  const auto row = find(id);
  return row && table_.rows.has_duration(*row);
}

bool Windows::over(ExchangeId id, Nanos t) const {
  const auto row = find(id);
  return row && over(*row, t);
}

bool Windows::over(std::uint32_t row, Nanos t) const {
  return table_.rows.has_duration(row) && nanoseconds(table_.rows.start(row) + table_.rows.duration(row)) <= t;
}

std::optional<std::uint32_t> Windows::moved(model::ConnectionId connection, Nanos t, Places& places,
                                            bool& shared) const {
  shared = false;
  if (connection >= milestones_.size()) return std::nullopt;
  const std::vector<ground::Ranked>& milestones = milestones_[connection];
  auto m = std::lower_bound(milestones.begin(), milestones.end(), t,
                            [](const ground::Ranked& a, Nanos b) { return a.by < b; });
  if (m == milestones.end() || m->by != t) {
    const auto rows = index_.of(connection);
    std::uint32_t& place = places.of(connection, rows.size());
    place = static_cast<std::uint32_t>(first_after_near(rows, t, place));
    return before(rows, place, t);
  }
  const std::uint32_t row = m->place;
  for (; m != milestones.end() && m->by == t; ++m) shared = shared || m->place != row;
  if (shared) return std::nullopt;
  return row;
}

ExchangeId Windows::owner(std::uint32_t row) const {
  const ExchangeId id = table_.rows.id(row);
  const model::Cause* cause = table_.rows.role(row) == model::Role::client ? table_.causes.find(id) : nullptr;
  return cause && cause->parent.connection != 0 ? cause->parent : id;
}

}  // namespace tailcap::partition
