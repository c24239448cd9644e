#include "analyze/model/machine/memory_limits.h"

#include <algorithm>
#include <charconv>

namespace tailcap::model {
namespace {

constexpr std::int64_t kEvery = 1'000'000'000;  // ns between two readings
constexpr std::size_t kMostUsers = 8;

// The next word, taken from the front.
std::string_view word(std::string_view& text, char between) {
  const std::size_t end = std::min(text.find(between), text.size());
  const std::string_view out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

template <typename Number>
bool read(std::string_view text, Number& out) {
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
  return bad == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::optional<MemoryLimits::Limit> MemoryLimits::parse(std::string_view note) {
  Limit l;
  const bool numbers =
      read(word(note, ' '), l.limit) && read(word(note, ' '), l.used) && read(word(note, ' '), l.reached);
  if (!numbers) return std::nullopt;
  for (std::string_view users = word(note, ' '); !users.empty() && l.users.size() < kMostUsers;) {
    std::string_view one = word(users, ',');
    User u;
    if (read(word(one, ':'), u.pid) && read(one, u.bytes)) l.users.push_back(u);
  }
  if (!note.starts_with('/')) return std::nullopt;
  l.cgroup = note;
  return l;
}

void MemoryLimits::push(formats::Time at, std::string_view note) {
  auto l = parse(note);
  if (!l || readings_ >= kMaxReadings) return;
  const auto known = cgroups_.find(l->cgroup);
  if (known == cgroups_.end() && cgroups_.size() >= kMaxCgroups) return;
  auto& all = known == cgroups_.end() ? cgroups_[l->cgroup] : known->second;
  const std::int64_t time = formats::nanoseconds(at);
  if (!all.empty() && (time < all.back().at || l->reached <= all.back().reached)) return;
  all.push_back({time, l->limit, l->reached, std::move(l->users)});
  ++readings_;
}

std::optional<MemoryLimits::Pressure> MemoryLimits::over(std::span<const Interval> of) const {
  std::optional<Pressure> most;
  for (const auto& [cgroup, readings] : cgroups_) {
    Pressure p{cgroup, 0, 0, {}};
    for (std::size_t i = 1; i < readings.size(); ++i) {
      const Reading& r = readings[i];
      // A reading is of what happened since the one before; none is written while nothing does.
      const std::int64_t from = std::max(readings[i - 1].at, r.at - 2 * kEvery);
      const bool touched =
          std::ranges::any_of(of, [&](const Interval& x) { return x.first < r.at && x.second > from; });
      if (!touched) continue;
      p.limit = r.limit;
      p.reached += r.reached - readings[i - 1].reached;
      if (!r.users.empty()) p.users = r.users;
    }
    if (p.reached > 0 && (!most || p.reached > most->reached)) most = std::move(p);
  }
  return most;
}

}  // namespace tailcap::model
