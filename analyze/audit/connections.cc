#include "analyze/audit/connections.h"

#include <tuple>
#include <utility>

namespace tailcap::audit {

using formats::known;
using formats::Origin;
using model::IpAddress;
using model::audit::is_loopback;

namespace {

// An established connection: client and server, and for loopback, which every namespace has of its own, the namespace.
using Tuple = std::tuple<std::uint32_t, IpAddress, std::uint16_t, IpAddress, std::uint16_t>;

// Clocks of two machines in a merged capture differ by less.
constexpr formats::Duration kSlack{1'000'000'000};

std::optional<Tuple> tuple_of(const AuditedEnd& end) {
  if (!end.directed() || !known(end.established) || !end.local || !end.remote) return std::nullopt;
  const bool local_only = is_loopback(*end.local) || *end.local == *end.remote;
  const std::uint32_t space = local_only ? end.net_namespace : 0;
  if (end.origin == Origin::connected) return Tuple{space, *end.local, end.local_port, *end.remote, end.remote_port};
  return Tuple{space, *end.remote, end.remote_port, *end.local, end.local_port};
}

// Identifies a connection that is older than the recording: both ends, without an order.
std::optional<Tuple> unordered(const AuditedEnd& end) {
  if (end.directed() || !end.local || !end.remote || end.local_port == 0) return std::nullopt;
  const std::uint32_t space = is_loopback(*end.local) || *end.local == *end.remote ? end.net_namespace : 0;
  std::pair low(*end.local, end.local_port), high(*end.remote, end.remote_port);
  if (high < low) std::swap(low, high);
  return Tuple{space, low.first, low.second, high.first, high.second};
}

// Two that live at the same time are of networks with the same addresses: which belongs to which is not known.
bool overlap(const std::vector<AuditedEnd>& ends, const std::vector<std::size_t>& in_order) {
  for (std::size_t i = 1; i < in_order.size(); ++i) {
    const AuditedEnd& before = ends[in_order[i - 1]];
    if (!known(before.closed) || before.closed > ends[in_order[i]].first) return true;
  }
  return false;
}

// The accepted end of each connected one, where there is exactly one that it can be; of the ends of an older
// connection, the second one of the first.
std::vector<std::optional<std::size_t>> joined(const std::vector<AuditedEnd>& ends) {
  struct Both {
    std::vector<std::size_t> connected, accepted;
  };
  std::map<Tuple, Both> tuples;
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (const auto tuple = tuple_of(ends[i])) {
      Both& both = tuples[*tuple];
      (ends[i].origin == Origin::connected ? both.connected : both.accepted).push_back(i);
    }
  std::vector<std::optional<std::size_t>> out(ends.size());
  for (auto& [tuple, both] : tuples) {
    const auto earlier = [&](std::size_t a, std::size_t b) { return ends[a].first < ends[b].first; };
    std::sort(both.connected.begin(), both.connected.end(), earlier);
    std::sort(both.accepted.begin(), both.accepted.end(), earlier);
    if (overlap(ends, both.connected) || overlap(ends, both.accepted)) continue;
    // The same ports are used again after the connection has ended: each in the life of its other end.
    std::size_t from = 0;
    for (const std::size_t client : both.connected) {
      const Time begin = ends[client].first - kSlack;
      while (from < both.accepted.size() && ends[both.accepted[from]].first < begin) ++from;
      std::size_t behind = from;
      const auto within = [&](std::size_t i) {
        return i < both.accepted.size() &&
               (!known(ends[client].closed) || ends[both.accepted[i]].first <= ends[client].closed + kSlack);
      };
      while (within(behind)) ++behind;
      if (behind - from != 1) {
        // Several in a row that come in pairs are matched by their order alone.
        if (both.connected.size() != both.accepted.size() || behind == from) continue;
      }
      out[client] = both.accepted[from++];
    }
  }
  std::map<Tuple, std::vector<std::size_t>> older;
  for (std::size_t i = 0; i < ends.size(); ++i)
    if (const auto tuple = unordered(ends[i])) older[*tuple].push_back(i);
  for (const auto& [tuple, two] : older)
    if (two.size() == 2 && ends[two[0]].local == ends[two[1]].remote &&
        ends[two[0]].local_port == ends[two[1]].remote_port)
      out[two[0]] = two[1];
  return out;
}

class Builder {
 public:
  Builder(const model::Processes& processes, const model::Containers& containers, const model::audit::Pods& pods)
      : processes_(processes), containers_(containers), pods_(pods) {}

  std::size_t recorded(const AuditedEnd& end) {
    Who who;
    who.address = end.local;
    who.recorded = true;
    if (end.pid != 0) {
      if (const auto* life = processes_.at(end.pid, end.used)) {
        who.process = model::Processes::name_in(*life, end.used);
        if (!life->cgroup.empty()) {
          const model::Container container = containers_.of(life->cgroup);
          who.in_pod = tri(!container.pod_uid.empty() || !container.pod.empty());
          who.name_space = container.name_space;
          who.pod = container.pod;
        }
      }
    }
    if (!who.pod.empty()) who.listed = pods_.find(who.name_space, who.pod);
    if (!who.listed && who.pod.empty()) list(who);
    return add(std::move(who));
  }

  std::size_t other(const std::optional<IpAddress>& address) {
    Who who;
    who.address = address;
    list(who);
    if (!who.listed && address && pods_.complete && !is_loopback(*address)) who.in_pod = Tri::no;
    return add(std::move(who));
  }

  std::vector<Who> take() { return std::move(all_); }

 private:
  // By its address.
  void list(Who& who) const {
    if (!who.address || !(who.listed = pods_.find(*who.address))) return;
    const model::audit::Pod& pod = pods_.pods[*who.listed];
    who.in_pod = Tri::yes;
    who.name_space = pod.name_space;
    who.pod = pod.name;
  }
  std::size_t add(Who who) {
    const auto [at, added] = number_.emplace(std::move(who), all_.size());
    if (added) all_.push_back(at->first);
    return at->second;
  }

  const model::Processes& processes_;
  const model::Containers& containers_;
  const model::audit::Pods& pods_;
  std::map<Who, std::size_t> number_;
  std::vector<Who> all_;
};

}  // namespace

AuditedConnections connections_of(std::vector<AuditedEnd> ends, const model::Processes& processes,
                                  const model::Containers& containers, const model::audit::Pods& pods) {
  const auto others = joined(ends);
  std::vector<bool> taken(ends.size());
  for (const auto& other : others)
    if (other) taken[*other] = true;
  Builder who(processes, containers, pods);
  AuditedConnections out;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (taken[i]) continue;
    const AuditedEnd& end = ends[i];
    const bool accepted = end.origin == Origin::accepted;
    const std::size_t self = who.recorded(end);
    const std::size_t peer = others[i] ? who.recorded(ends[*others[i]]) : who.other(end.remote);
    AuditedConnection c;
    c.directed = end.directed();
    c.established = known(end.established) || accepted || !c.directed;
    c.first = end.first;
    c.client = accepted ? peer : self;
    c.server = accepted ? self : peer;
    c.client_port = accepted ? end.remote_port : end.local_port;
    c.server_port = accepted ? end.local_port : end.remote_port;
    const std::uint32_t beyond = others[i] ? ends[*others[i]].net_namespace : 0;
    c.client_namespace = accepted ? 0 : end.net_namespace;
    c.server_namespace = accepted ? end.net_namespace : beyond;
    out.all.push_back(c);
  }
  std::stable_sort(out.all.begin(), out.all.end(),
                   [](const AuditedConnection& a, const AuditedConnection& b) { return a.first < b.first; });
  out.who = who.take();
  return out;
}

}  // namespace tailcap::audit
