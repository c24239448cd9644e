#include "analyze/causes/parents/likeness.h"

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "analyze/causes/live.h"
#include "ground/fnv.h"

namespace tailcap::causes {

using formats::known;

namespace {

constexpr std::size_t kMaxParts = 32;  // of one target
constexpr std::size_t kMaxRun = 8;     // words of one part that are looked at together
constexpr std::size_t kMaxWords = 63;  // of one call
constexpr Likeness::Found kNone{};
// The lowest bit says how distinctive the text is by itself.
constexpr std::uint64_t kStrong = 1;

std::uint64_t number_of(std::string_view text, std::uint64_t seed = 0) {
  return ground::fnv(text, seed ^ ground::kFnvBasis);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}

// Not by chance the same as another, as a short number is or the name of a route: an identifier.
bool strong(std::string_view text) {
  const auto digits = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
  return digits == text.size() ? digits >= 6 : digits > 0 ? text.size() >= 4 : false;
}

std::uint64_t part_number(std::string_view text) { return (number_of(text) & ~kStrong) | (strong(text) ? kStrong : 0); }

// Values that the recorder replaced.
bool masked(std::string_view text) { return text.find("**") != std::string_view::npos || text == "*"; }

// The parts of a path, the values of its query, and the request id.
template <class Each>
void each_part(std::string_view target, std::string_view request_id, Each each) {
  const auto split = [&](std::string_view text, char by, bool values) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(by), text.size());
      std::string_view part = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (const auto equals = part.find('='); values && equals != std::string_view::npos)
        part.remove_prefix(equals + 1);
      if (!part.empty() && !masked(part)) each(part);
    }
  };
  const std::size_t query = std::min(target.find('?'), target.size());
  split(target.substr(0, query), '/', false);
  split(target.substr(std::min(query + 1, target.size())), '&', true);
  if (!request_id.empty() && !masked(request_id)) each(request_id);
}

}  // namespace

std::vector<std::uint64_t> Likeness::parts_of(const Note& note) const {
  std::vector<std::uint64_t> parts;
  each_part(texts_[note.target], texts_[note.request_id], [&](std::string_view part) {
    if (parts.size() < kMaxParts) parts.push_back(part_number(part));
  });
  std::sort(parts.begin(), parts.end());
  parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  return parts;
}

// 0: not known, or part of it is masked.
std::uint64_t Likeness::whole_of(const Note& note) const {
  const std::string_view target = texts_[note.target];
  if (target.empty() || note.method == 0 || target.find("**") != std::string_view::npos) return 0;
  return number_of(target, number_of(texts_[note.method], 1)) | 1;
}

// Parts with digits stand for any.
std::uint64_t Likeness::kind_number(const Note& note) const {
  if (note.target == 0) return 0;
  std::uint64_t kind = number_of(texts_[note.authority], number_of(texts_[note.method], 2));
  std::string_view path = texts_[note.target];
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    kind = number_of(std::any_of(part.begin(), part.end(), is_digit) ? "{}" : part, kind * 31 + 7);
  }
  return kind | 1;
}

// Every run of words of every part, with the words that it is.
Likeness::Said Likeness::said_by(const Note& call) const {
  Said said;
  std::size_t words = 0;
  each_part(texts_[call.target], texts_[call.request_id], [&](std::string_view part) {
    std::vector<std::pair<std::size_t, std::size_t>> at;  // begin and end of each word
    for (std::size_t i = 0; i < part.size(); ++i) {
      if (!is_word(part[i])) continue;
      if (at.empty() || at.back().second != i) at.emplace_back(i, i);
      at.back().second = i + 1;
    }
    if (words + at.size() > kMaxWords || at.empty()) return;
    const auto add = [&](std::string_view text, std::size_t first, std::size_t last) {
      const Words these = ((Words{2} << (last - first)) - 1) << (words + first);
      said.parts.emplace_back(part_number(text), these);
      said.all |= these;
    };
    add(part, 0, at.size() - 1);
    for (std::size_t first = 0; first < at.size(); ++first)
      for (std::size_t last = first; last < std::min(at.size(), first + kMaxRun); ++last)
        if (at[first].first != 0 || at[last].second != part.size())
          add(part.substr(at[first].first, at[last].second - at[first].first), first, last);
    words += at.size();
  });
  std::sort(said.parts.begin(), said.parts.end());
  return said;
}

// Few requests say it, and it is not one word out of a few requests' by chance.
bool Likeness::informative(std::uint64_t part) const {
  const auto it = times_.find(part);
  const std::size_t all = process_.servers.size(), times = it == times_.end() ? 0 : it->second;
  if (part & kStrong) return times <= std::max<std::size_t>(2, all / 8);
  return all >= 16 && times <= all / 8;
}

bool Likeness::same(Passed what, const Note& a, const Note& b) {
  switch (what) {
    case authority:
      return a.authority != 0 && a.authority == b.authority;
    case agent:
      return a.agent != 0 && a.agent == b.agent;
    case size:
      return a.bytes >= 0 && a.bytes == b.bytes;
    case kPassed:
      break;
  }
  return false;
}

void Likeness::compare(const Note& call, const std::vector<std::uint32_t>& live, Call& out) const {
  const Said said = said_by(call);
  const std::uint64_t whole = whole_of(call);
  struct Covered {
    std::uint32_t server;
    Words words;
    bool informs, whole, rare;
  };
  std::vector<Covered> all;
  for (const std::uint32_t n : live) {
    Covered c{n, 0, false, whole != 0 && wholes_[n] == whole, false};
    if (known(process_.servers[n].answered) && process_.servers[n].answered < call.began) continue;
    for (const std::uint64_t part : parts_[n]) {
      auto at = std::lower_bound(said.parts.begin(), said.parts.end(), std::pair{part, Words{0}});
      for (; at != said.parts.end() && at->first == part; ++at) {
        c.words |= at->second;
        c.informs = c.informs || informative(part);
        c.rare = c.rare || ((part & kStrong) != 0 && times_.at(part) == 1);
      }
    }
    if (c.words != 0 || c.whole) all.push_back(c);
  }
  const auto most = std::max_element(all.begin(), all.end(), [](const Covered& a, const Covered& b) {
    return std::tuple(a.whole, std::popcount(a.words)) < std::tuple(b.whole, std::popcount(b.words));
  });
  if (most == all.end() || !(most->informs || most->whole)) return;
  for (const Covered& c : all) {
    if ((c.words & ~most->words) != 0 && !most->whole) return out.equal.clear();  // it says something else of the call
    if (c.whole == most->whole && c.words == most->words) out.equal.push_back(c.server);
  }
  if (out.equal.size() == 1) {
    out.server = most->server;
    out.rare = most->rare;
  }
  if (out.equal.size() == 1 || !most->whole) out.equal.clear();
}

void Likeness::index() {
  parts_.clear();
  wholes_.clear();
  for (const Note& s : process_.servers) {
    parts_.push_back(parts_of(s));
    wholes_.push_back(whole_of(s));
    for (const std::uint64_t part : parts_.back()) ++times_[part];
  }
  calls_.assign(process_.clients.size(), {});
  Live live(process_.servers);
  std::map<std::pair<std::uint64_t, std::int64_t>, std::size_t> made;
  for (std::uint32_t n = 0; n < process_.clients.size(); ++n) {
    const Note& call = process_.clients[n];
    Call& c = calls_[n];
    live.advance(call.began);
    if (call.target == 0) continue;
    c.kind = kind_number(call);
    if (live.now().empty() || live.now().size() > kMaxLive) continue;
    compare(call, live.now(), c);
    Kind& kind = kinds_[c.kind];
    ++kind.calls;
    if (c.server < 0 && c.equal.empty()) continue;
    ++kind.told;
    if (c.server < 0) continue;
    kind.most = std::max(kind.most, ++made[{c.kind, c.server}]);
    const Note& s = process_.servers[static_cast<std::size_t>(c.server)];
    if (wholes_[static_cast<std::size_t>(c.server)] != whole_of(call)) continue;
    ++kind.whole;
    for (std::size_t what = 0; what < kPassed; ++what) kind.same[what] += same(static_cast<Passed>(what), call, s);
  }
}

Likeness::Found Likeness::of(std::uint32_t client) const {
  const Call& c = calls_[client];
  if (c.kind == 0 || (c.server < 0 && c.equal.empty())) return kNone;
  Found found{c.server, c.rare, c.equal};
  const auto kind = kinds_.find(c.kind);
  if (found.equal.empty() || kind == kinds_.end()) return found;
  // What calls of this kind always had from their request.
  constexpr std::size_t kEnough = 8;
  for (std::size_t what = 0; what < kPassed; ++what) {
    if (kind->second.whole < kEnough || kind->second.same[what] < kind->second.whole) continue;
    std::erase_if(found.equal, [&](std::uint32_t n) {
      return !same(static_cast<Passed>(what), process_.clients[client], process_.servers[n]);
    });
  }
  if (found.equal.size() == 1) {
    found.server = found.equal[0];
    found.equal.clear();
  }
  return found;
}

bool Likeness::related(std::uint32_t client) const {
  const auto kind = kinds_.find(calls_[client].kind);
  return kind != kinds_.end() && kind->second.told * 2 > kind->second.calls;
}

bool Likeness::one_each(std::uint32_t client) const {
  const auto kind = kinds_.find(calls_[client].kind);
  return kind != kinds_.end() && kind->second.most <= 1;
}

}  // namespace tailcap::causes
