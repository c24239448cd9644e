#include "analyze/tail/verdict/traits.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "analyze/model/statistics/binomial.h"
#include "ground/number_sort.h"

namespace tailcap::tail::verdict {
namespace {

using model::SharedTrait;
using Kind = model::SharedTrait::Kind;

// Most of the slow ones, and few of the others: less is no lead.
constexpr double kMost = 0.5, kFew = 0.25;
// After correction for all values that were tried.
constexpr double kUnlikely = 0.001;
constexpr std::uint64_t kLeastSlow = 5;
constexpr std::size_t kNamed = 2;
// A threshold chosen to fit counts for this number of values tried.
constexpr std::size_t kThresholds = 20;

// "10.0.0.2:4711", "[::1]:80": without the port.
std::string_view host_of(std::string_view endpoint) {
  const auto colon = endpoint.rfind(':');
  return endpoint.starts_with("unix:") || colon == std::string_view::npos ? endpoint : endpoint.substr(0, colon);
}

class Traits {
 public:
  Traits(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts, std::uint64_t bursts)
      : items_(items), cohorts_(cohorts), bursts_(std::min<std::uint64_t>(bursts, cohorts.slow)), slow_(items.size()) {
    for (std::size_t i = items.size() - cohorts.slow; i < items.size(); ++i) slow_[cohorts.order[i]] = true;
  }

  // value(item) as a number; 0: none. text(number) is what is shown.
  template <typename Value, typename Text>
  void equal(Kind kind, Value value, Text text) {
    std::uint64_t one = 0;
    any(
        kind,
        [&](const slow::Item& item) {
          one = value(item);
          return std::span<const std::uint64_t>(&one, one != 0);
        },
        text);
  }

  // Counts each of several values.
  template <typename Values, typename Text>
  void any(Kind kind, Values values, Text text) {
    std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> counts;  // slow, others
    for (std::size_t i = items_.size() - cohorts_.slow; i < items_.size(); ++i)
      for (const std::uint64_t v : values(items_[cohorts_.order[i]])) ++counts[v].first;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (slow_[i]) continue;
      for (const std::uint64_t v : values(items_[i]))
        if (const auto at = counts.find(v); at != counts.end()) ++at->second.second;
    }
    for (const auto& [v, n] : counts) {
      ++tried_;
      offer(kind, n.first, n.second, [&](SharedTrait& trait) { text(v, trait); });
    }
  }

  // At least as much as nine of ten slow requests have, or as half of them. value(item) < 0: not known.
  template <typename Value>
  void at_least(Kind kind, Value value, const std::string& name = {}) {
    std::vector<std::int64_t> slow;
    each([&](const slow::Item& item, bool is_slow) {
      if (is_slow) slow.push_back(value(item));
    });
    std::sort(slow.begin(), slow.end());
    const std::size_t before = found_.size();
    for (const std::size_t at : {slow.size() / 10, slow.size() / 2}) {
      const std::int64_t least = slow[at];
      if (least <= 0) continue;
      tried_ += kThresholds;
      std::uint64_t with = 0, others = 0;
      each([&](const slow::Item& item, bool is_slow) {
        if (value(item) >= least) ++(is_slow ? with : others);
      });
      offer(kind, with, others, [&](SharedTrait& trait) {
        trait.number = least;
        trait.value = name;
      });
    }
    // The less likely of the two.
    if (found_.size() < before + 2) return;
    if (found_.back().chance < found_[before].chance) found_[before] = found_.back();
    found_.pop_back();
  }

  std::vector<SharedTrait> take() {
    for (SharedTrait& t : found_) t.chance = std::min(1.0, t.chance * static_cast<double>(tried_));
    std::erase_if(found_, [](const SharedTrait& t) { return t.chance >= kUnlikely; });
    std::stable_sort(found_.begin(), found_.end(),
                     [](const SharedTrait& a, const SharedTrait& b) { return a.chance < b.chance; });
    // A client with one connection and one thread is one lead.
    std::vector<SharedTrait> out;
    for (SharedTrait& t : found_) {
      const bool same = std::any_of(out.begin(), out.end(),
                                    [&](const SharedTrait& o) { return o.slow == t.slow && o.others == t.others; });
      if (!same && out.size() < kNamed) out.push_back(std::move(t));
    }
    return out;
  }

 private:
  template <typename Visit>
  void each(Visit visit) {
    for (std::size_t i = 0; i < items_.size(); ++i) visit(items_[i], slow_[i]);
  }

  template <typename Fill>
  void offer(Kind kind, std::uint64_t slow, std::uint64_t others, Fill fill) {
    const std::uint64_t of_others = cohorts_.order.size() - cohorts_.slow;
    const double among_slow = static_cast<double>(slow) / static_cast<double>(cohorts_.slow);
    const double among_others = static_cast<double>(others) / static_cast<double>(of_others);
    if (among_slow < kMost || among_others > kFew || 2 * among_others > among_slow) return;
    // How often others have it is known from of_others of them only.
    const double probability = (static_cast<double>(others) + 1) / (static_cast<double>(of_others) + 1);
    const auto hits = static_cast<std::uint64_t>(std::floor(among_slow * static_cast<double>(bursts_)));
    SharedTrait trait;
    trait.kind = kind;
    trait.slow = slow;
    trait.of_slow = cohorts_.slow;
    trait.others = others;
    trait.of_others = of_others;
    trait.chance = model::at_least_by_chance(hits, bursts_, std::min(1.0, probability));
    fill(trait);
    found_.push_back(std::move(trait));
  }

  const std::vector<slow::Item>& items_;
  const slow::Cohorts& cohorts_;
  const std::uint64_t bursts_;
  std::vector<bool> slow_;  // by item
  std::size_t tried_ = 0;
  std::vector<SharedTrait> found_;
};

// Calls of one kind: of the kind that the slow requests make most of.
class Called {
 public:
  Called(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts, const model::RequestTable& table,
         const slow::Links& links)
      : table_(table), links_(links) {
    std::map<Callee, std::uint64_t> made;
    for (std::size_t i = items.size() - cohorts.slow; i < items.size(); ++i)
      each(items[cohorts.order[i]], [&](const Callee& callee) { ++made[callee]; });
    const auto most =
        std::max_element(made.begin(), made.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == made.end() || most->second < kMany * cohorts.slow) return;
    most_ = most->first;
    counts_.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i)
      each(items[i], [&](const Callee& callee) { counts_[i] += callee == most_; });
  }

  bool many() const { return !counts_.empty(); }
  std::int64_t by(std::size_t item) const { return counts_[item]; }
  std::string name() const {
    const auto [remote, method, route] = most_;
    std::string out(table_.texts[remote]);
    out.append(" (").append(table_.texts[method]);
    if (route != 0) out.append(" ").append(table_.texts[route]);
    return out + ")";
  }

 private:
  // Fewer are what a request needs.
  static constexpr std::uint64_t kMany = 3;
  using Callee = std::tuple<model::TextId, model::TextId, model::TextId>;  // where, method, route

  template <typename Visit>
  void each(const slow::Item& item, Visit visit) const {
    for (const auto& [parent, id] : links_.calls_of(table_.rows.id(item.row))) {
      const auto row = links_.row_of(id);
      if (!row) continue;
      const model::TextId remote = id.connection < table_.remotes.size() ? table_.remotes[id.connection] : 0;
      visit(Callee{remote, table_.all().names(*row).method, table_.all().route(*row)});
    }
  }

  const model::RequestTable& table_;
  const slow::Links& links_;
  Callee most_{};
  std::vector<std::int64_t> counts_;  // by item; empty: no kind has many
};

// Requests of the route under way when each item began. It is fast where items are in order of their beginning.
std::vector<std::int64_t> loads(const std::vector<slow::Item>& items, const model::RequestTable& table) {
  std::vector<std::int64_t> begins, ends;
  begins.reserve(items.size());
  ends.reserve(items.size());
  for (const slow::Item& item : items) {
    begins.push_back(formats::nanoseconds(table.rows.start(item.row)));
    ends.push_back(begins.back() + item.duration);
  }
  ground::sort_numbers(begins);
  ground::sort_numbers(ends);
  std::vector<std::int64_t> out;
  out.reserve(items.size());
  std::size_t begun = 0, ended = 0;
  std::int64_t before = INT64_MIN;
  for (const slow::Item& item : items) {
    const std::int64_t at = formats::nanoseconds(table.rows.start(item.row));
    if (at < before) begun = ended = 0;
    before = at;
    while (begun < begins.size() && begins[begun] <= at) ++begun;
    while (ended < ends.size() && ends[ended] <= at) ++ended;
    out.push_back(static_cast<std::int64_t>(begun) - static_cast<std::int64_t>(ended));
  }
  return out;
}

}  // namespace

std::vector<SharedTrait> shared_traits(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                                       std::uint64_t bursts, const model::RequestTable& table, const slow::Links& links,
                                       bool queued) {
  if (cohorts.slow < kLeastSlow || cohorts.slow >= items.size()) return {};
  struct Seen {
    std::int64_t request = -1, response = -1;
    std::uint32_t thread = 0;
    model::TextId path = 0, authority = 0;
  };
  std::vector<Seen> all;
  all.reserve(items.size());
  for (const slow::Item& item : items) {
    const model::Request r = table.rows[item.row];
    all.push_back({r.request_bytes, r.response_bytes, r.tid, r.path, r.authority});
  }
  const auto place = [&](const slow::Item& item) { return static_cast<std::size_t>(&item - items.data()); };
  const auto seen = [&](const slow::Item& item) -> const Seen& { return all[place(item)]; };
  const auto remote = [&](const slow::Item& item) -> model::TextId {
    const auto connection = table.rows.id(item.row).connection;
    return connection < table.remotes.size() ? table.remotes[connection] : 0;
  };
  const auto named = [&](std::uint64_t v, SharedTrait& trait) {
    trait.value = table.texts[static_cast<model::TextId>(v)];
  };
  Traits traits(items, cohorts, bursts);
  std::map<std::string, std::uint64_t, std::less<>> hosts;
  std::vector<std::string> host_names = {""};
  std::unordered_map<model::TextId, std::uint64_t> host_numbers;  // by remote
  traits.equal(
      Kind::host,
      [&](const slow::Item& item) -> std::uint64_t {
        const auto [known, first] = host_numbers.try_emplace(remote(item));
        if (!first) return known->second;
        const std::string host(host_of(table.texts[known->first]));
        if (host.empty()) return 0;
        const auto [at, added] = hosts.try_emplace(host, host_names.size());
        if (added) host_names.push_back(host);
        return known->second = at->second;
      },
      [&](std::uint64_t v, SharedTrait& trait) { trait.value = host_names[v]; });
  std::map<std::uint64_t, model::TextId> endpoints;
  traits.equal(
      Kind::connection,
      [&](const slow::Item& item) -> std::uint64_t {
        const std::uint64_t connection = table.rows.id(item.row).connection;
        endpoints[connection] = remote(item);
        return connection;
      },
      [&](std::uint64_t v, SharedTrait& trait) { trait.value = table.texts[endpoints[v]]; });
  traits.equal(
      Kind::thread, [&](const slow::Item& item) { return seen(item).thread; },
      [](std::uint64_t v, SharedTrait& trait) { trait.number = static_cast<std::int64_t>(v); });
  traits.equal(
      Kind::path, [&](const slow::Item& item) { return seen(item).path; }, named);
  traits.equal(
      Kind::authority, [&](const slow::Item& item) { return seen(item).authority; }, named);
  traits.any(
      Kind::header, [&](const slow::Item& item) { return table.headers.fields(item.row); }, named);
  traits.equal(
      Kind::first, [&](const slow::Item& item) -> std::uint64_t { return table.rows.id(item.row).index == 1; },
      [](std::uint64_t, SharedTrait&) {});
  const Called called(items, cohorts, table, links);
  if (called.many())
    traits.at_least(
        Kind::calls, [&](const slow::Item& item) { return called.by(place(item)); }, called.name());
  traits.at_least(Kind::request_size, [&](const slow::Item& item) { return seen(item).request; });
  traits.at_least(Kind::response_size, [&](const slow::Item& item) { return seen(item).response; });
  if (queued) return traits.take();
  const std::vector<std::int64_t> load = loads(items, table);
  traits.at_least(Kind::load, [&](const slow::Item& item) { return load[place(item)]; });
  return traits.take();
}

}  // namespace tailcap::tail::verdict
