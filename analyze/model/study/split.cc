#include "analyze/model/study/split.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <string_view>

namespace tailcap::model {

namespace {

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
  return n;
}

}  // namespace

// From the notes that `tailcap merge` makes: merge.2.machine = 2, merge.2.error_ns = 31000.
ClockErrors::ClockErrors(const formats::Preamble& preamble) {
  struct Source {
    std::int64_t machine = 0, error = -1;
    bool reference = false;
  };
  std::map<std::string, Source, std::less<>> sources;
  for (const auto& [key, value] : preamble.notes) {
    constexpr std::string_view prefix = "merge.";
    if (!key.starts_with(prefix)) continue;
    const std::size_t dot = key.find('.', prefix.size());
    if (dot == key.npos) continue;
    Source& s = sources[key.substr(0, dot)];
    const std::string_view name = std::string_view(key).substr(dot + 1);
    if (name == "machine")
      s.machine = number_in(value).value_or(0);
    else if (name == "error_ns")
      s.error = number_in(value).value_or(-1);
    else if (name == "clock")
      s.reference = value == "reference";
  }
  for (const auto& [key, s] : sources) {
    if (s.machine < 1 || s.machine > formats::kMaxMachines) continue;
    const auto at = static_cast<std::size_t>(s.machine) - 1;
    if (at >= errors_.size()) errors_.resize(at + 1, -1);
    if (s.reference)
      errors_[at] = 0;
    else if (s.error >= 0)
      errors_[at] = std::max(errors_[at], s.error);
  }
}

std::int64_t ClockErrors::of(formats::Machine machine) const {
  return machine < errors_.size() ? errors_[machine] : -1;
}

std::int64_t ClockErrors::between(std::uint32_t pid_a, std::uint32_t pid_b) const {
  const formats::Machine a = formats::machine_of(pid_a), b = formats::machine_of(pid_b);
  if (a == b) return 0;
  std::int64_t sum = 0;
  return of(a) < 0 || of(b) < 0 || __builtin_add_overflow(of(a), of(b), &sum) ? -1 : sum;
}

std::optional<Split> split_of(const Request& client, const Request& server, const ClockErrors& clocks) {
  if (!client.has_duration || !server.has_duration || !formats::known(client.start) || !formats::known(server.start))
    return std::nullopt;
  const Time begin = client.start, end = client.start + client.duration;
  const Time from = std::clamp(server.start, begin, end), to = std::clamp(server.start + server.duration, from, end);
  return Split{from - begin, to - from, end - to, clocks.between(client.pid, server.pid)};
}

Splits::Splits(const RequestTable& table, const ClockErrors& clocks) {
  const Rows& rows = table.rows;
  std::vector<std::pair<ExchangeId, std::uint32_t>> clients;  // by their servers' ids
  for (std::uint32_t i = 0; i < rows.size(); ++i)
    if (rows.role(i) == Role::client && rows.peer(i).connection != 0 && rows.has_duration(i))
      clients.emplace_back(rows.peer(i), i);
  std::sort(clients.begin(), clients.end());
  for (std::uint32_t i = 0; i < rows.size() && !clients.empty(); ++i) {
    if (rows.role(i) != Role::server) continue;
    const auto at = std::lower_bound(clients.begin(), clients.end(), std::pair{rows.id(i), 0u});
    if (at == clients.end() || at->first != rows.id(i)) continue;
    if (const auto split = split_of(rows[at->second], rows[i], clocks)) all_.emplace_back(rows.id(at->second), *split);
  }
  std::sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
}

const Split* Splits::find(ExchangeId client) const {
  const auto at = std::lower_bound(all_.begin(), all_.end(), client,
                                   [](const auto& entry, ExchangeId id) { return entry.first < id; });
  return at != all_.end() && at->first == client ? &at->second : nullptr;
}

}  // namespace tailcap::model
