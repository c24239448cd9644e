#include "analyze/partition/course_book.h"

#include <algorithm>
#include <utility>

namespace tailcap::partition {

using model::ExchangeId;

void CourseBook::follow(const Windows& windows, ExchangeId id, Culprits culprits, std::size_t most) {
  const auto& rows = windows.table().rows;
  followed_.resize(rows.size());
  std::vector<ExchangeId> next = {id};
  if (const auto row = windows.find(id); row && culprits == Culprits::keep && count_ < most) {
    blaming_.resize(rows.size());
    blaming_[*row] = true;
  }
  while (!next.empty() && count_ < most) {
    const ExchangeId one = next.back();
    next.pop_back();
    const auto row = windows.find(one);
    if (!row || followed_[*row]) continue;
    followed_[*row] = true;
    ++count_;
    if (const ExchangeId peer = rows.peer(*row); peer.connection != 0) next.push_back(peer);
    for (const std::uint32_t call : windows.calls_of(one)) next.push_back(rows.id(call));
  }
}

CourseBook::Entry CourseBook::entry_of(const Draft& draft, std::span<const Condition> pieces) {
  Entry out;
  out.id = draft.w.id;
  out.from = pieces.empty() ? draft.w.from : pieces.front().from;
  out.pieces.reserve(pieces.size());
  for (const Condition& p : pieces) out.pieces.push_back({p.to, p.behind, p.label, p.evidence});
  out.behind = draft.behind;
  return out;
}

std::vector<std::uint32_t> CourseBook::add(const Windows& windows, const Drafted& drafted,
                                           std::span<const model::Culprit> culprits) {
  const Draft& draft = drafted.draft;
  const std::uint32_t row = draft.w.row;
  Entry& entry = entries_.emplace_back(entry_of(draft, drafted.pieces));
  entry.peer = windows.table().rows.peer(row);
  for (const Call& c : drafted.calls)
    if (c.w.id != draft.w.id) entry.calls.push_back({c.w.id, c.on_path, model::Duration{c.slack}});
  std::vector<std::uint32_t> held_up_by;
  if (row >= blaming_.size() || !blaming_[row]) return held_up_by;
  for (const model::Culprit& c : culprits) {
    const auto who = c.request.connection == 0 ? std::nullopt : windows.find(c.request);
    if (!who || followed_[*who]) continue;
    followed_[*who] = true;
    held_up_by.push_back(*who);
  }
  return held_up_by;
}

model::Course CourseBook::course_of(const Entry& entry) {
  model::Course out;
  out.request = entry.id;
  Nanos from = entry.from;
  for (const Piece& p : entry.pieces) {
    model::LabelledStretch& s = out.stretches.emplace_back();
    s.from = formats::time_from(from);
    s.to = formats::time_from(p.to);
    s.label = p.label;
    s.evidence = p.evidence;
    if (p.behind != 0) s.culprit = entry.behind[p.behind - 1];
    s.culprit.label = p.label;
    s.culprit.time = p.to - from;
    from = p.to;
  }
  out.calls = entry.calls;
  return out;
}

void CourseBook::sort() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.id < b.id; });
}

std::vector<model::Course> CourseBook::all() {
  sort();
  std::vector<model::Course> out;
  out.reserve(entries_.size());
  for (const Entry& entry : entries_) out.push_back(course_of(entry));
  return out;
}

std::vector<model::Course> CourseBook::of(std::vector<ExchangeId> requests) {
  sort();
  std::vector<bool> taken(entries_.size());
  while (!requests.empty()) {
    const ExchangeId id = requests.back();
    requests.pop_back();
    const auto at =
        std::lower_bound(entries_.begin(), entries_.end(), id, [](const Entry& e, ExchangeId x) { return e.id < x; });
    if (at == entries_.end() || at->id != id) continue;
    const auto n = static_cast<std::size_t>(at - entries_.begin());
    if (taken[n]) continue;
    taken[n] = true;
    if (at->peer.connection != 0) requests.push_back(at->peer);
    for (const auto& call : at->calls) requests.push_back(call.request);
  }
  std::vector<model::Course> out;
  for (std::size_t i = 0; i < entries_.size(); ++i)
    if (taken[i]) out.push_back(course_of(entries_[i]));
  return out;
}

}  // namespace tailcap::partition
