#include "analyze/tail/name_lookups.h"

#include <algorithm>
#include <cerrno>

#include "analyze/model/wire/connection.h"
#include "analyze/tail/troubles.h"

namespace tailcap::tail {
namespace {

constexpr std::size_t kMaxNames = 10'000;  // more are added up as one
constexpr std::size_t kMaxLookUps = 1024;  // of a name; the median is that of the first ones

}  // namespace

void NameLookups::add(const model::Lookup& l) {
  model::Connection server;
  server.family = l.family;
  server.remote = l.server;
  std::pair<std::string, std::string> key(l.name, model::endpoint(server, true));
  if (names_.size() >= kMaxNames && !names_.contains(key)) key = {"other names", ""};
  Sums& sums = names_[key];
  ++sums.study.lookups;
  if (l.attempts > 1) ++sums.study.repeated;
  sums.study.attempts = std::max(sums.study.attempts, l.attempts);
  if (l.rcode >= 0 && formats::known(l.began) && formats::known(l.done)) {
    const std::int64_t took = (l.done - l.began).count();
    sums.study.longest = std::max(sums.study.longest, model::Duration{took});
    if (sums.durations.size() < kMaxLookUps) sums.durations.push_back(took);
  }
  std::string result = model::rcode_name(l.rcode);
  if (l.rcode < 0 && l.error != 0) result += std::string(" (") + std::string(model::cause_of(l.error)) + ")";
  if (l.truncated) result = "truncated";
  if (l.rcode == 0 && !l.truncated)
    ++sums.study.answered;
  else
    ++sums.results[result];
}

std::vector<model::NameStudy> NameLookups::list() const {
  std::vector<model::NameStudy> out;
  for (const auto& [key, sums] : names_) {
    model::NameStudy& s = out.emplace_back(sums.study);
    s.name = key.first;
    s.server = key.second;
    std::vector<std::int64_t> d = sums.durations;
    s.timed = d.size();
    if (!d.empty()) {
      const auto middle = d.begin() + static_cast<std::ptrdiff_t>(d.size() / 2);
      std::nth_element(d.begin(), middle, d.end());
      s.median = model::Duration{*middle};
    }
    s.failures.assign(sums.results.begin(), sums.results.end());
    std::stable_sort(s.failures.begin(), s.failures.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.lookups > b.lookups; });
  return out;
}

}  // namespace tailcap::tail
