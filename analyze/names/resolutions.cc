#include "analyze/names/resolutions.h"

#include <algorithm>
#include <utility>

#include "analyze/model/wire/connection.h"
#include "ground/dns.h"

namespace tailcap::names {

using formats::known;
using formats::Time;
using model::FailedName;
using model::Lookup;

namespace {

constexpr std::size_t kMaxOpen = 1024;     // of more, the oldest are forgotten
constexpr std::size_t kMaxQuestions = 64;  // of one: a search list has at most a few suffixes
// A resolver goes on at once after an answer. What its thread does next is not always seen.
constexpr formats::Duration kSettled = std::chrono::seconds{1};
// Losses are counted every 100 ms, after they happened.
constexpr formats::Duration kLossesKnown = std::chrono::milliseconds{300};

std::string_view first_label(std::string_view name) { return name.substr(0, name.find('.')); }

// name is base, or base with a suffix of the search list.
bool extends(std::string_view name, std::string_view base) {
  return name.starts_with(base) && (name.size() == base.size() || name[base.size()] == '.');
}

bool of_addresses(const Lookup& l) { return l.type == ground::dns::kA || l.type == ground::dns::kAaaa; }

// An answer that does not fit, or that is not all there, may have it.
bool has_it(const Lookup& l) { return l.rcode == 0 && (l.truncated || !of_addresses(l) || l.records > 0); }

// No resolver asks the same again after that.
bool final(const Lookup& l) {
  constexpr int kNoSuchName = 3;
  return l.rcode == 0 || l.rcode == kNoSuchName;
}

// The heaviest of several answers decides what the program gets: the name might have been found but for that answer.
int weight(const Lookup& l) { return l.rcode < 0 ? 3 : !final(l) ? 2 : l.rcode != 0 ? 1 : 0; }

std::string cause_of(const Lookup& l) {
  if (l.rcode == 0) return "no address";
  std::string cause = model::rcode_name(l.rcode);
  if (l.rcode < 0 && l.error != 0) cause += std::string(" (") + std::string(model::cause_of(l.error)) + ")";
  return cause;
}

}  // namespace

Resolutions::Place Resolutions::find(const formats::Thread& thread, std::uint64_t goroutine, const std::string& name) {
  return std::find_if(open_.begin(), open_.end(), [&](const Resolution& r) {
    const bool same = goroutine != 0 ? r.asker.goroutine != 0 && r.asker.pid == thread.pid
                                     : r.asker.goroutine == 0 && r.asker.pid == thread.pid && r.asker.tid == thread.tid;
    return same && first_label(r.questions.front().lookup.name) == first_label(name);
  });
}

Resolutions::Question* Resolutions::question(Resolution& of, const Lookup& lookup) {
  const auto at = std::find_if(of.questions.begin(), of.questions.end(), [&](const Question& q) {
    return q.lookup.type == lookup.type && q.lookup.name == lookup.name;
  });
  return at == of.questions.end() ? nullptr : &*at;
}

// The question is none of this resolution: that is over.
bool Resolutions::another(const Resolution& of, const Lookup& question) const {
  bool named = false;
  for (const Question& q : of.questions) {
    named = named || q.lookup.name == question.name;
    if (q.lookup.type != question.type || q.lookup.name != question.name) continue;
    if (q.waiting) return false;
    return final(q.lookup) || q.lookup.goroutine != question.goroutine;
  }
  return of.found && of.waiting == 0 && !named;
}

void Resolutions::asked(const Lookup& l, Time at) {
  Place r = find(l.thread, l.goroutine, l.name);
  if (r != open_.end() && another(*r, l)) {
    conclude(r, at);
    r = open_.end();
  }
  if (r == open_.end()) {
    if (open_.size() >= kMaxOpen) {
      open_.front().unknown = true;
      conclude(open_.begin(), at);
    }
    r = open_.emplace(open_.end());
    r->asker = {l.thread.pid, l.thread.tid, l.goroutine};
    r->began = at;
    ++threads_[l.thread.tid];
  }
  r->last = at;
  due_ = std::min(due_, at + kSettled);
  if (Question* q = question(*r, l)) {
    r->waiting += !q->waiting;
    *q = {l, true};
  } else if (r->questions.size() < kMaxQuestions) {
    r->questions.push_back({l, true});
    ++r->waiting;
  } else {
    r->unknown = true;
  }
}

void Resolutions::ended(const Lookup& l, Time at) {
  const Place r = find(l.thread, l.goroutine, l.name);
  Question* q = r == open_.end() ? nullptr : question(*r, l);
  if (!q || !q->waiting) return;
  q->lookup = l;
  q->waiting = false;
  --r->waiting;
  r->found = r->found || has_it(l);
  r->last = at;
  due_ = std::min(due_, at + kSettled);
}

void Resolutions::stray(const formats::Thread& reader, const std::string& name) {
  for (Resolution& r : open_)
    if (r.asker.pid == reader.pid && first_label(r.questions.front().lookup.name) == first_label(name))
      r.unknown = true;
}

void Resolutions::moved(const formats::Thread& thread) {
  if (!threads_.contains(thread.tid)) return;
  for (Place r = open_.begin(); r != open_.end();) {
    const bool over = r->waiting == 0 && r->asker.goroutine == 0 && r->asker.tid == thread.tid;
    r = over ? conclude(r, r->last) : std::next(r);
  }
}

void Resolutions::lost() {
  for (Resolution& r : open_) r.unknown = true;
  failed_.clear();
}

void Resolutions::advance(Time now, bool end, std::vector<FailedName>& out) {
  if (now < due_ && !end) return;
  due_ = formats::kMaxTime;
  for (Place r = open_.begin(); r != open_.end();) {
    const bool over = end || (r->waiting == 0 && now >= r->last + kSettled);
    if (!over && r->waiting == 0) due_ = std::min(due_, r->last + kSettled);
    r = over ? conclude(r, now) : std::next(r);
  }
  while (!failed_.empty() && (end || now >= failed_.front().since + kLossesKnown)) {
    out.push_back(std::move(failed_.front().name));
    failed_.pop_front();
  }
  if (!failed_.empty()) due_ = std::min(due_, failed_.front().since + kLossesKnown);
}

Resolutions::Place Resolutions::conclude(Place place, Time at) {
  const Resolution& r = *place;
  if (!r.found && !r.unknown) {
    std::vector<const Question*> all;
    for (const Question& q : r.questions) all.push_back(&q);
    const auto& base = std::ranges::min(r.questions, {}, [](const Question& q) { return q.lookup.name.size(); }).lookup;
    // A search list is tried for a name that is also asked for as it is. Otherwise these are names of their own.
    if (std::ranges::all_of(r.questions, [&](const Question& q) { return extends(q.lookup.name, base.name); })) {
      fail(r, base.name, all, at);
    } else {
      while (!all.empty()) {
        const std::string name = all.front()->lookup.name;
        const auto same = [&](const Question* q) { return q->lookup.name == name; };
        const auto others = std::stable_partition(all.begin(), all.end(), same);
        fail(r, name, {all.begin(), others}, at);
        all.erase(all.begin(), others);
      }
    }
  }
  if (const auto t = threads_.find(r.asker.tid); t != threads_.end() && --t->second == 0) threads_.erase(t);
  return open_.erase(place);
}

void Resolutions::fail(const Resolution& of, const std::string& name, std::span<const Question* const> questions,
                       Time at) {
  const Question* worst = questions.front();
  FailedName f;
  f.name = name;
  f.asker = of.asker;
  bool all_known = true;
  for (const Question* q : questions) {
    const Lookup& l = q->lookup;
    if (!known(f.began) || l.began < f.began) f.began = l.began;
    const Time done = l.rcode < 0 ? l.given_up : l.done;
    all_known = all_known && known(done) && !q->waiting;
    if (known(done) && (!known(f.done) || done > f.done)) f.done = done;
    f.in_flight = f.in_flight || q->waiting;
    if (weight(l) > weight(worst->lookup)) worst = q;
  }
  if (!all_known) f.done = model::kNoTime;
  if (!f.in_flight) f.cause = cause_of(worst->lookup);
  f.last = questions.back()->lookup;
  failed_.push_back({std::move(f), at});
  due_ = std::min(due_, at + kLossesKnown);
}

}  // namespace tailcap::names
