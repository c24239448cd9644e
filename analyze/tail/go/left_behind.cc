#include "analyze/tail/go/left_behind.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail::go {

using formats::kMaxTime;
using formats::known;
using formats::Time;
using model::GoLeft;

namespace {

bool has(const formats::GoProgram& program, formats::GoPart part) {
  return (program.parts & static_cast<std::uint8_t>(part)) != 0;
}

// The kind of event whose loss would hide the end of a goroutine.
bool hides_ends(std::uint8_t kind) { return kind == static_cast<std::uint8_t>(formats::Kind::go_exit) || kind == 255; }

const model::Served* under(std::span<const model::Served* const> served, std::uint64_t goroutine, Time at) {
  const auto behind = std::partition_point(served.begin(), served.end(), [&](const model::Served* s) {
    return std::tie(s->goroutine, s->begin) <= std::tie(goroutine, at);
  });
  if (behind == served.begin()) return nullptr;
  const model::Served* s = *std::prev(behind);
  return s->goroutine == goroutine && at <= s->end ? s : nullptr;
}

}  // namespace

void LeftBehind::push(const formats::Event& event) {
  if (const auto* create_ = std::get_if<formats::GoCreate>(&event.body)) return create(event, *create_);
  if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    if (hides_ends(loss->kind))
      for (auto& [pid, process] : processes_) process.doubt = event.time;
    return;
  }
  if (std::holds_alternative<formats::Damage>(event.body)) {
    for (auto& [pid, process] : processes_) process.doubt = event.time;
    return;
  }
  if (const auto* program = std::get_if<formats::GoProgram>(&event.body)) {
    Process& process = processes_[event.thread.pid];
    const bool ends = has(*program, formats::GoPart::ends);
    if (process.told && !ends) process.away = true;
    if (process.away) process.doubt = event.time;  // not recorded until here
    if (ends) {
      process.told = true;
      process.away = false;
    }
    return;
  }
  const auto at = processes_.find(event.thread.pid);
  if (at == processes_.end()) return;
  Process& process = at->second;
  if (const auto* runtime = std::get_if<formats::GoRuntime>(&event.body)) {
    // The first goroutine that starts a collection makes its workers, which stay, before it stops the world.
    if (runtime->phase == formats::GoPhase::gc_begin) process.collecting = event.goroutine;
    if (runtime->phase == formats::GoPhase::stop_begin) process.collecting = 0;
  } else if (const auto* exit = std::get_if<formats::GoExit>(&event.body)) {
    const auto g = process.made.find(exit->goroutine);
    if (g == process.made.end()) return;
    g->second.ended = event.time;
    // Its request was not over when it was made: so it ended within the limit.
    if (event.time - g->second.links[0].at <= after_) {
      process.made.erase(g);
      --kept_;
    }
  } else if (std::holds_alternative<formats::TaskExit>(event.body)) {
    if (event.thread.pid == event.thread.tid) process.ended = event.time;
  }
}

void LeftBehind::create(const formats::Event& event, const formats::GoCreate& create) {
  if (create.child == 0) return;
  Process& process = processes_[event.thread.pid];
  if (create.from.starts_with("runtime.") || (event.goroutine != 0 && event.goroutine == process.collecting))
    return;  // its own
  if (kept_ >= kMaxGoroutines) {
    ++process.left_out;
    return;
  }
  Goroutine g;
  g.links[0] = {event.goroutine, event.time};
  if (const auto parent = process.made.find(event.goroutine); parent != process.made.end())
    std::copy(parent->second.links.begin(), parent->second.links.end() - 1, g.links.begin() + 1);
  g.function = texts_.intern(create.function);
  g.from = texts_.intern(create.from);
  kept_ += process.made.insert_or_assign(create.child, g).second;
}

void LeftBehind::fill(std::uint32_t pid, std::span<const model::Served> all, const model::RequestTable& table, Time end,
                      model::GoStudy& study) const {
  const auto at = processes_.find(pid);
  if (at == processes_.end() || !at->second.told) return;
  const Process& process = at->second;
  study.ends_told = true;
  std::vector<const model::Served*> served;
  for (const model::Served& s : all)
    if (s.goroutine != 0 && s.end != kMaxTime) served.push_back(&s);
  std::sort(served.begin(), served.end(), [](const model::Served* a, const model::Served* b) {
    return std::tie(a->goroutine, a->begin, a->id) < std::tie(b->goroutine, b->begin, b->id);
  });
  const Time last = known(process.ended) ? std::min(process.ended, end) : end;
  using Key = std::tuple<model::TextId, std::string, std::string>;
  std::map<Key, GoLeft> groups;
  std::map<Key, std::set<model::ExchangeId>> requests;
  std::vector<const std::pair<const std::uint64_t, Goroutine>*> in_order;
  for (const auto& g : process.made) in_order.push_back(&g);
  std::sort(in_order.begin(), in_order.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* entry : in_order) {
    const Goroutine& g = entry->second;
    const model::Served* request = nullptr;
    for (const Link& link : g.links)
      if (!request && link.creator != 0) request = under(served, link.creator, link.at);
    if (!request) continue;
    const Time until = known(g.ended) ? g.ended : last;
    if (until - request->end <= after_) continue;
    if (!known(g.ended) && known(process.doubt) && g.links[0].at <= process.doubt) {
      ++study.left_in_doubt;
      continue;
    }
    const Key key{table.handlers.find(request->id), texts_[g.from], texts_[g.function]};
    if (groups.size() >= kMaxGroups && !groups.contains(key)) continue;
    GoLeft& left = groups[key];
    if (left.count() == 0) {
      left.handler = std::get<0>(key) != 0 ? std::string(table.texts[std::get<0>(key)]) : std::string();
      left.from = std::get<1>(key);
      left.function = std::get<2>(key);
      left.example = request->id;
    }
    ++(known(g.ended) ? left.late : left.alive);
    left.longest = std::max(left.longest, until - request->end);
    requests[key].insert(request->id);
  }
  for (auto& [key, left] : groups) {
    left.requests = requests[key].size();
    study.left.push_back(std::move(left));
  }
  std::stable_sort(study.left.begin(), study.left.end(),
                   [](const GoLeft& a, const GoLeft& b) { return a.count() > b.count(); });
}

}  // namespace tailcap::tail::go
