#include "analyze/tail/go/use.h"

#include <algorithm>
#include <set>
#include <utility>

#include "formats/event.h"

namespace tailcap::tail::go {

using model::GoModel;
using model::GoUse;
using model::Protocol;

namespace {

struct Seen {
  std::uint64_t requests = 0;
  std::map<std::uint64_t, std::uint64_t> by_goroutine;         // known ones only
  std::map<model::ConnectionId, std::uint64_t> by_connection;  // of those
  std::set<std::pair<model::ConnectionId, std::uint64_t>> pairs;
  std::set<model::ConnectionId> connections;  // of all
};

std::size_t bucket_of(std::uint64_t requests) {
  std::size_t bucket = 0;
  for (std::uint64_t limit = 1; bucket + 1 < GoUse::kBuckets && requests > limit;
       limit = limit == 1 ? 9 : limit * 10 + 9)
    ++bucket;
  return bucket;
}

std::uint64_t most_of(const std::map<model::ConnectionId, std::uint64_t>& counts) {
  std::uint64_t most = 0;
  for (const auto& [key, n] : counts) most = std::max(most, n);
  return most;
}

// Each pair is of a goroutine and a connection whose request it served.
GoModel model_of(const Seen& s, std::uint64_t most) {
  if (s.by_goroutine.empty()) return GoModel::unknown;
  const bool one_connection_each = s.pairs.size() == s.by_goroutine.size();  // of a goroutine
  const bool one_goroutine_each = s.pairs.size() == s.by_connection.size();  // of a connection
  if (!one_connection_each || (most > 1 && !one_goroutine_each)) return GoModel::workers;
  if (most_of(s.by_connection) < 2) return GoModel::unknown;  // a connection each, a request each
  return most == 1 ? GoModel::per_request : GoModel::per_connection;
}

void count(GoUse& use, std::vector<std::uint64_t> counts) {
  std::sort(counts.begin(), counts.end());
  use.goroutines = counts.size();
  use.median = counts[(counts.size() + 1) / 2 - 1];
  use.most = counts.back();
  for (const std::uint64_t n : counts) ++use.histogram[bucket_of(n)];
}

template <class Map>
std::vector<std::uint64_t> counts_of(const Map& map) {
  std::vector<std::uint64_t> counts;
  for (const auto& [key, n] : map) counts.push_back(n);
  return counts;
}

}  // namespace

bool is_grpc_method(std::string_view handler) {
  constexpr std::string_view kEnd = "_Handler";
  const std::string_view name = handler.substr(handler.rfind('.') + 1);  // npos + 1 is 0
  return name.size() > kEnd.size() + 2 && name[0] == '_' && name.substr(name.size() - kEnd.size()) == kEnd;
}

void Use::push(const formats::Event& event) {
  const auto* handler = std::get_if<formats::GoHandler>(&event.body);
  if (!handler || event.goroutine == 0 || !(handler->grpc || is_grpc_method(handler->name))) return;
  auto& methods = methods_[event.thread.pid];
  const auto at = methods.find(event.goroutine);
  if (at != methods.end())
    ++at->second;
  else if (kept_ < kMaxGoroutines) {
    methods.emplace(event.goroutine, 1);
    ++kept_;
  }
}

std::vector<GoUse> Use::of(std::uint32_t pid, std::span<const model::Served> served) const {
  std::map<Protocol, Seen> seen;
  for (const model::Served& s : served) {
    Seen& of = seen[s.protocol == Protocol::http10 ? Protocol::http11 : s.protocol];
    ++of.requests;
    of.connections.insert(s.id.connection);
    if (s.goroutine == 0) continue;
    ++of.by_goroutine[s.goroutine];
    ++of.by_connection[s.id.connection];
    of.pairs.insert({s.id.connection, s.goroutine});
  }
  std::vector<GoUse> out;
  for (const auto& [protocol, s] : seen) {
    GoUse& use = out.emplace_back();
    use.protocol = protocol;
    use.requests = s.requests;
    std::uint64_t known = 0;
    for (const auto& [g, n] : s.by_goroutine) known += n;
    std::uint64_t entered = 0;
    const auto methods = methods_.find(pid);
    if (protocol == Protocol::grpc && methods != methods_.end())
      for (const auto& [g, n] : methods->second) entered += n;
    if (entered > known && entered <= s.requests) {
      count(use, counts_of(methods->second));
      use.unknown = s.requests - entered;
      // More goroutines than connections: one for each connection they are not.
      if (use.most > 1 && use.goroutines > s.connections.size())
        use.model = GoModel::workers;
      else if (use.most == 1 && s.requests > s.connections.size() && use.unknown == 0)
        use.model = GoModel::per_request;
      continue;
    }
    use.unknown = s.requests - known;
    if (known == 0) continue;
    use.connections = s.by_connection.size();
    count(use, counts_of(s.by_goroutine));
    use.model = model_of(s, use.most);
  }
  return out;
}

}  // namespace tailcap::tail::go
