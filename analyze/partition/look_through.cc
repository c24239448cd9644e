#include "analyze/partition/look_through.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace tailcap::partition {
namespace {

using model::Chain;
using model::Label;

constexpr std::size_t kMaxDepth = 32;           // a queue at one lock is one step, however long it is
constexpr std::size_t kMaxExpansions = 20'000;  // of one request
constexpr std::size_t kRemembered = 64;

bool lock(Label label) {
  return label == Label::lock_futex || label == Label::lock_file || label == Label::lock_session ||
         label == Label::lock_go_mutex || label == Label::lock_go_chan || label == Label::lock_go_select ||
         label == Label::lock_go_wait;
}

bool call(Label label) { return label == Label::down_send || label == Label::down_wait || label == Label::down_body; }

}  // namespace

std::vector<Chain> LookThrough::chains_of(const Draft& draft, std::span<const Condition> pieces) {
  found_.clear();
  found_keys_.clear();
  path_.clear();
  keys_.clear();
  requests_.clear();
  rows_ = {draft.w.row};
  depth_ = 0;
  budget_ = kMaxExpansions;
  for (const Condition& piece : pieces)
    if (model::waits_for_somebody(piece.label) && piece.to - piece.from >= kLeast) expand(piece, draft);
  std::stable_sort(found_.begin(), found_.end(), [](const Chain& a, const Chain& b) { return a.time > b.time; });
  if (found_.size() > kMaxChains) found_.resize(kMaxChains);
  return std::move(found_);
}

void LookThrough::leaf(Nanos time, bool beyond) {
  for (std::size_t i = 0; i < found_.size(); ++i) {
    if (found_[i].beyond_capture != beyond || found_keys_[i] != keys_) continue;
    found_[i].time += time;
    for (std::size_t k = 0; k < path_.size(); ++k) {
      const model::Culprit& known = found_[i].steps[k];
      if (known.request != path_[k].request || known.tid != path_[k].tid) found_[i].several |= 1u << k;
    }
    return;
  }
  found_.push_back({path_, time, 0, beyond});
  found_keys_.push_back(keys_);
}

model::TextId LookThrough::method_of(std::uint32_t row) {
  const auto [at, added] = methods_.try_emplace(row);
  if (added) at->second = k_.windows.table().rows[row].method;
  return at->second;
}

const Drafted* LookThrough::request(std::uint32_t row) {
  for (const auto& [known, drafted] : requests_)
    if (known == row) return &drafted;
  if (requests_.size() == kRemembered) return nullptr;
  auto& [at, drafted] = requests_.emplace_back();
  at = row;
  draft_request(k_, row, DraftDetail::full, drafted);
  return &drafted;
}

void LookThrough::meanwhile(const Condition& piece, std::span<const Condition> theirs, const Draft& their) {
  Nanos at = piece.from;
  for (const Condition& t : theirs) {
    Condition part = t;
    part.from = std::max(part.from, piece.from);
    part.to = std::min(part.to, piece.to);
    if (part.from >= part.to) continue;
    if (part.from > at) leaf(part.from - at, false);  // on the way to them
    // What they did is not known.
    if (model::unexplained(part.label))
      leaf(part.to - part.from, true);
    else if (part.label == Label::net_idle)
      idle(part.from, part.to, their.w.id.connection, their.w.row);
    else
      expand(part, their);
    at = part.to;
  }
  if (at < piece.to) leaf(piece.to - at, false);
}

// What a session did meanwhile: its requests, and between them nothing, because its client sent none.
void LookThrough::session(const Condition& piece, std::uint32_t tid, std::uint32_t row) {
  const model::ConnectionId connection = k_.windows.table().rows.id(row).connection;
  const ThreadLog* const log = k_.observed.thread(tid);
  for (Nanos at = piece.from; at < piece.to;) {
    if (budget_ == 0) return leaf(piece.to - at, true);
    --budget_;
    if (const auto under_way = k_.windows.at(connection, at)) {
      const Window w = k_.windows.window(*under_way);
      Condition part = piece;
      part.from = at;
      part.to = w.ended() && w.to > at ? std::min(w.to, piece.to) : piece.to;
      Drafted thread;
      draft_thread(k_, tid, part.from, part.to, under_way, thread);
      if (thread.pieces.empty())
        leaf(part.to - part.from, true);
      else
        meanwhile(part, thread.pieces, thread.draft);
      at = part.to;
      if (at == piece.to) return;
      idle(at, at + 1, connection, std::nullopt);  // the last moment of a request counts as its own
      ++at;
      continue;
    }
    const Act* next = log ? log->acts.first_after(at) : nullptr;
    while (next && next != log->acts.end() && (next->out || next->connection != connection)) ++next;
    const bool some = next && next != log->acts.end() && next->time < piece.to;
    const auto begun = some ? k_.windows.at(connection, next->time) : std::nullopt;
    const Nanos until = begun ? std::clamp(k_.windows.window(*begun).from, at + 1, piece.to) : piece.to;
    idle(at, until, connection, begun);
    at = until;
  }
}

// next: the request that the session's client sent then. A client that is not recorded has a name, at best.
void LookThrough::idle(Nanos from, Nanos to, model::ConnectionId connection, std::optional<std::uint32_t> next) {
  const auto& rows = k_.windows.table().rows;
  const model::ExchangeId peer = next ? rows.peer(*next) : model::ExchangeId{};
  const auto client = peer.connection != 0 ? k_.windows.find(peer) : std::nullopt;
  model::Culprit who;
  who.label = Label::net_idle;
  who.request = peer;
  if (peer.connection == 0) {
    who.what = k_.observed.host_of(connection);
    who.tid = k_.observed.client_of(connection);
  }
  path_.push_back(who);
  keys_.push_back({Label::net_idle});
  Drafted thread;
  if (client && path_.size() < kSteps) draft_thread(k_, rows.work(*client).tid, from, to, std::nullopt, thread);
  Condition piece;
  piece.from = from;
  piece.to = to;
  if (thread.pieces.empty())
    leaf(to - from, true);
  else
    meanwhile(piece, thread.pieces, thread.draft);
  path_.pop_back();
  keys_.pop_back();
}

void LookThrough::expand(const Condition& piece, const Draft& draft) {
  model::Culprit who;
  if (piece.behind != 0) who = draft.behind[piece.behind - 1];
  who.label = piece.label;
  // The thread that released a lock had waited for it, too: who held it before that is behind the same step.
  const bool same_lock = !path_.empty() && lock(piece.label) && path_.back().label == piece.label && who.what != 0 &&
                         path_.back().what == who.what;
  const auto length = piece.to - piece.from;
  const std::optional<std::uint32_t> row = who.request.connection != 0 ? k_.windows.find(who.request) : std::nullopt;
  const auto& rows = k_.windows.table().rows;
  const Key key = row ? Key{piece.label, lock(piece.label) ? who.what : 0, 0, method_of(*row), rows.route(*row)}
                      : Key{piece.label, who.what, who.tid};
  std::pair<model::Culprit, Key> in_front;
  if (same_lock) {
    in_front = {std::exchange(path_.back(), who), std::exchange(keys_.back(), key)};
  } else {
    path_.push_back(who);
    keys_.push_back(key);
  }
  ++depth_;
  if (!model::waits_for_somebody(piece.label)) {
    leaf(length, false);
  } else if (path_.size() >= kSteps || depth_ >= kMaxDepth || budget_ == 0 || length < kLeast) {
    leaf(length, true);
  } else if (piece.label == Label::lock_session && row && who.tid != 0) {
    session(piece, who.tid, *row);
  } else {
    --budget_;
    std::optional<std::uint32_t> entered = row;
    const bool called = call(piece.label) && who.request.connection != 0;
    if (called) {
      const model::ExchangeId peer = row ? k_.windows.table().rows.peer(*row) : model::ExchangeId{};
      entered = peer.connection != 0 ? k_.windows.find(peer) : std::nullopt;
    }
    if (entered && std::find(rows_.begin(), rows_.end(), *entered) != rows_.end()) entered.reset();
    Drafted thread;
    const Drafted* other = nullptr;
    if (!called && who.tid != 0) {
      draft_thread(k_, who.tid, piece.from, piece.to, entered, thread);
      other = &thread;
    } else if (entered) {
      other = request(*entered);
    }
    if (!other || other->pieces.empty()) {
      leaf(length, true);
    } else {
      if (entered) rows_.push_back(*entered);
      meanwhile(piece, other->pieces, other->draft);
      if (entered) rows_.pop_back();
    }
  }
  --depth_;
  if (same_lock) {
    std::tie(path_.back(), keys_.back()) = in_front;
    return;
  }
  path_.pop_back();
  keys_.pop_back();
}

}  // namespace tailcap::partition
