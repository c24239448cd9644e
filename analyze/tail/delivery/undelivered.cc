#include "analyze/tail/delivery/undelivered.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "analyze/tail/verdict/pattern.h"

namespace tailcap::tail::delivery {
namespace {

using formats::nanoseconds;
using model::Label;
using model::Undelivered;

constexpr std::int64_t kLeast = 20'000'000;    // ns: shorter ones are how networks are
constexpr std::int64_t kDelayed = 30'000'000;  // an acknowledgement that takes this much longer than a round trip
constexpr std::size_t kLeastRequests = 3, kExamples = 3;
constexpr double kBlamed = 0.4;  // of the time: its peer is named
constexpr double kMostly = 0.9;
// A window no smaller than this takes the response in as many round trips; twice that, to be sure, is a slow reader's.
constexpr std::int64_t kSmallWindow = 8 << 10, kDoubtful = 2;

struct Late {
  std::uint32_t row = 0;
  const Undelivered* how = nullptr;
};

bool matters(const Undelivered& u, std::int64_t duration) {
  if (u.label == Label::net_nagle && u.time < u.round_trip + kDelayed) return false;
  return u.time >= kLeast && u.time >= duration;
}

// A client that reads at once would have taken it sooner, however small its window is.
bool read_slowly(const Undelivered& u, std::int64_t bytes) {
  if (u.label != Label::send_sndbuf || u.round_trip == 0 || bytes < 0) return false;
  return u.time / kDoubtful > (bytes / kSmallWindow + 2) * u.round_trip;
}

std::optional<model::CulpritStudy> peer_of(const std::vector<Late>& late, std::int64_t all,
                                           const model::Partitions& partitions) {
  std::map<std::uint32_t, std::int64_t> by_peer;
  for (const Late& l : late) by_peer[l.how->peer] += l.how->time;
  const auto most = std::max_element(by_peer.begin(), by_peer.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  const bool known = most->first != 0 && most->first <= partitions.peers().size();
  if (!known || static_cast<double>(most->second) < kBlamed * static_cast<double>(all)) return std::nullopt;
  model::CulpritStudy who;
  who.label = late.front().how->label;
  who.what = most->first;
  who.peer = partitions.peers()[most->first - 1];
  who.slow = static_cast<std::uint64_t>(
      std::ranges::count_if(late, [&](const Late& l) { return l.how->peer == most->first; }));
  who.time = most->second;
  return who;
}

}  // namespace

std::optional<model::Verdict> undelivered_verdict(const std::vector<std::uint32_t>& rows,
                                                  const verdict::VerdictContext& around) {
  const model::RequestTable& table = around.table;
  if (table.partitions.undelivered().empty()) return std::nullopt;
  std::map<model::ExchangeId, const Undelivered*> how;
  for (const Undelivered& u : table.partitions.undelivered()) how[u.request] = &u;  // the last is the longest
  std::map<Label, std::pair<std::int64_t, std::vector<Late>>> by_label;
  for (const std::uint32_t row : rows) {
    const auto found = how.find(table.rows.id(row));
    if (found == how.end() || !table.rows.has_duration(row)) continue;
    if (!matters(*found->second, table.rows.duration(row).count())) continue;
    auto& [time, late] = by_label[found->second->label];
    time += found->second->time;
    late.push_back({row, found->second});
  }
  if (by_label.empty()) return std::nullopt;
  auto& [time, late] = std::max_element(by_label.begin(), by_label.end(), [](const auto& a, const auto& b) {
                         return a.second.first < b.second.first;
                       })->second;
  if (late.size() < kLeastRequests) return std::nullopt;

  model::Verdict out;
  out.kind = model::VerdictKind::undelivered;
  // The service can avoid Nagle's algorithm; the rest is its clients' and the network's.
  out.level = late.front().how->label == Label::net_nagle ? model::VerdictLevel::notable : model::VerdictLevel::note;
  out.requests = late.size();
  out.of = rows.size();
  out.excess = time;
  std::vector<model::Crowd::Interval> spans;
  std::int64_t window = 0;
  std::size_t slowly = 0;
  for (const Late& l : late) {
    const std::int64_t from = nanoseconds(table.rows.start(l.row)), duration = table.rows.duration(l.row).count();
    spans.push_back({from, from + duration + l.how->time});
    out.typical += duration;
    window += l.how->window * l.how->time / 100;
    slowly += read_slowly(*l.how, table.rows[l.row].response_bytes);
  }
  const auto n = static_cast<std::int64_t>(late.size());
  out.typical /= n;
  model::VerdictPart part;
  part.label = part.root = late.front().how->label;
  part.labels = {part.label};
  part.origin = model::Origin::service;
  part.slow = time / n;
  part.mainly = late.size();
  part.inferred = static_cast<double>(slowly) >= kMostly * static_cast<double>(n) || part.label == Label::net_nagle;
  part.who = peer_of(late, time, table.partitions);
  out.window_share = static_cast<double>(window) / static_cast<double>(time);
  out.slow = out.typical + part.slow;
  out.parts.push_back(std::move(part));
  verdict::note_pattern(std::move(spans), around.study, out);
  std::ranges::sort(late, [](const Late& a, const Late& b) { return a.how->time > b.how->time; });
  for (std::size_t i = 0; i < std::min(kExamples, late.size()); ++i) out.examples.push_back(table.rows.id(late[i].row));
  return out;
}

}  // namespace tailcap::tail::delivery
