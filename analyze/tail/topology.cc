#include "analyze/tail/topology.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <tuple>

#include "analyze/model/row_index.h"
#include "analyze/tail/study.h"
#include "formats/machine.h"

namespace tailcap::tail {

using model::Request;
using model::Role;
using model::TopologyNode;

namespace {

constexpr std::size_t kMaxNodes = 200;  // of addresses; further ones are one node

// "80" of "10.0.0.1:80"; of a UNIX socket its path.
std::string_view port_of(std::string_view endpoint) {
  if (endpoint.starts_with("unix:")) return endpoint;
  const std::size_t colon = endpoint.rfind(':');
  return colon == endpoint.npos ? std::string_view{} : endpoint.substr(colon);
}

// Ports by number, before whatever else there is.
bool before(std::string_view a, std::string_view b) {
  return std::tuple(a.starts_with("unix:"), a.size(), a) < std::tuple(b.starts_with("unix:"), b.size(), b);
}

class Builder {
 public:
  Builder(const model::RequestTable& table, const std::vector<model::EndpointTexts>& ends)
      : table_(table), index_(table.rows), ends_(ends) {
    of_row_.reserve(table.rows.size());
    auto same = numbers_.end();          // as of the row before
    model::ConnectionId connection = 0;  // whose port is known
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      const model::RowNames row = table.rows.names(i);
      const std::pair who(row.pid, table.life(i, row.pid));
      if (same == numbers_.end() || same->first != who) {
        bool fresh = false;
        std::tie(same, fresh) = numbers_.try_emplace(who, static_cast<std::uint32_t>(processes_.size()));
        if (fresh) processes_.push_back({row.pid, 0, {}, 0});
        connection = 0;
      }
      of_row_.push_back(same->second);
      Process& process = processes_[same->second];
      if (process.comm == 0) process.comm = row.comm;
      if (table.rows.role(i) != Role::server || connection == table.rows.id(i).connection) continue;
      connection = table.rows.id(i).connection;
      const std::string_view port = port_of(end(i).local);
      if (!port.empty() && (process.port.empty() || before(port, process.port))) process.port = port;
    }
    name_services();
  }

  model::Topology build(const model::Study& study) {
    std::vector<std::uint32_t> of(table_.rows.size());
    model::Topology out = build(study, 0, static_cast<std::uint32_t>(of.size()), &of);
    add_servers(of);
    out.of = std::move(of);
    return out;
  }

  // Takes the requests [first, last); rates are of the study's time. of: see Topology, without the servers' ends.
  model::Topology build(const model::Study& study, std::uint32_t first, std::uint32_t last,
                        std::vector<std::uint32_t>* of = nullptr) {
    using Between = std::pair<std::uint32_t, std::uint32_t>;
    std::map<Between, std::vector<std::uint32_t>> calls;
    const auto& rows = table_.rows;
    out_.calls.clear();
    out_.begin = study.begin;
    out_.end = study.end;
    auto same = calls.end();  // as the call before
    const auto add = [&](Between between, std::uint32_t row) {
      if (same == calls.end() || same->first != between) same = calls.try_emplace(between).first;
      same->second.push_back(row);
    };
    for (std::uint32_t i = first; i < last; ++i) {
      const std::uint32_t own = node_of(i);
      if (rows.role(i) == Role::client) {
        const std::optional<std::uint32_t> served = served_by(i);
        add({own, served ? node_of(*served) : remote(i)}, i);
      } else if (rows.peer(i).connection == 0) {
        if (!callers_) callers_ = outside(TopologyNode::Kind::callers, "callers outside");
        add({*callers_, own}, i);
      }
    }
    for (const auto& [between, some] : calls)
      out_.calls.push_back({between.first, between.second, protocols(some), count_calls(table_, some, study)});
    const auto all = [](const model::TopologyCall& c) { return c.calls.count + c.calls.incomplete; };
    std::stable_sort(out_.calls.begin(), out_.calls.end(),
                     [&](const auto& a, const auto& b) { return all(a) > all(b); });
    if (of)
      for (std::uint32_t n = 0; n < out_.calls.size(); ++n)
        for (const std::uint32_t i : calls[{out_.calls[n].from, out_.calls[n].to}]) (*of)[i] = n + 1;
    return out_;
  }

 private:
  // The server's end of a call belongs to it, too.
  void add_servers(std::vector<std::uint32_t>& of) const {
    for (std::uint32_t i = 0; i < of.size(); ++i) {
      if (table_.rows.role(i) != Role::client) continue;
      const std::optional<std::uint32_t> served = served_by(i);
      if (served && (of[*served] == 0 || of[i] < of[*served])) of[*served] = of[i];
    }
  }

  std::string protocols(const std::vector<std::uint32_t>& rows) const {
    std::set<std::pair<model::Protocol, bool>> used;
    for (const std::uint32_t i : rows) used.emplace(table_.rows.protocol(i), table_.rows.tls(i));
    std::set<std::string> names;
    for (const auto& [protocol, tls] : used)
      if (protocol != model::Protocol::unknown)
        names.insert(std::string(model::name_of(protocol)) + (tls ? " in TLS" : ""));
    std::string out;
    for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
    return out;
  }

  struct Process {
    std::uint32_t pid = 0;
    model::TextId comm = 0;
    std::string_view port;  // the first that it serves; empty: none
    std::uint32_t node = 0;
  };

  std::uint32_t node_of(std::uint32_t row) const { return processes_[of_row_[row]].node; }

  // The server's end of a call; unset: it was not recorded.
  std::optional<std::uint32_t> served_by(std::uint32_t call) const {
    const auto row = index_.find(table_.rows.peer(call));
    return row && table_.rows.role(*row) == Role::server && table_.rows.peer(*row).connection != 0 ? row : std::nullopt;
  }

  model::EndpointTexts end(std::size_t row) const {
    const model::ConnectionId connection = table_.rows.id(row).connection;
    return connection < ends_.size() ? ends_[connection] : model::EndpointTexts{};
  }

  // By name; several that serve different ports under one name by port, too.
  void name_services() {
    std::map<std::string, std::set<std::string_view>> ports;
    for (const Process& p : processes_) ports[name_of(p)].insert(p.port);
    std::map<std::string, std::uint32_t> nodes;
    for (const auto& [who, number] : numbers_) {
      Process& p = processes_[number];
      std::string name = name_of(p);
      if (ports[name].size() > 1 && !p.port.empty()) name += " " + std::string(p.port);
      const auto [at, fresh] = nodes.try_emplace(name, static_cast<std::uint32_t>(out_.nodes.size()));
      if (fresh) out_.nodes.push_back({TopologyNode::Kind::service, name, 0});
      p.node = at->second;
      ++out_.nodes[p.node].processes;
    }
  }

  std::string name_of(const Process& p) const {
    if (p.comm != 0) return std::string(table_.texts[p.comm]);
    return p.pid != 0 ? "process " + std::to_string(formats::number_of(p.pid)) : "unknown process";
  }

  std::uint32_t remote(std::size_t row) {
    const model::ConnectionId connection = table_.rows.id(row).connection;
    if (connection >= remotes_.size()) remotes_.resize(connection + 1);
    std::optional<std::uint32_t>& known = remotes_[connection];
    if (!known) known = address(end(row).remote);
    return *known;
  }

  std::uint32_t address(std::string_view remote) {
    if (remote.empty()) return outside(TopologyNode::Kind::address, "unknown address");
    if (addresses_.size() >= kMaxNodes && !addresses_.contains({TopologyNode::Kind::address, std::string(remote)}))
      return outside(TopologyNode::Kind::address, "other addresses");
    return outside(TopologyNode::Kind::address, std::string(remote));
  }

  std::uint32_t outside(TopologyNode::Kind kind, const std::string& name) {
    const auto [at, fresh] = addresses_.try_emplace({kind, name}, static_cast<std::uint32_t>(out_.nodes.size()));
    if (fresh) out_.nodes.push_back({kind, name, 0});
    return at->second;
  }

  const model::RequestTable& table_;
  const model::RowIndex index_;
  const std::vector<model::EndpointTexts>& ends_;
  std::vector<Process> processes_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers_;  // of them, by pid and life
  std::vector<std::uint32_t> of_row_;                                         // likewise, by row
  std::map<std::pair<TopologyNode::Kind, std::string>, std::uint32_t> addresses_;
  std::optional<std::uint32_t> callers_;
  std::vector<std::optional<std::uint32_t>> remotes_;  // by connection
  model::Topology out_;
};

}  // namespace

model::Topology topology(const model::RequestTable& table, const std::vector<model::EndpointTexts>& ends,
                         const model::Study& study) {
  return Builder(table, ends).build(study);
}

std::vector<model::Topology> topologies(const model::RequestTable& table, const std::vector<model::EndpointTexts>& ends,
                                        const model::Study& study, model::Duration window) {
  const auto& rows = table.rows;
  const auto& clock = study.quality.clock;
  const std::int64_t length = window.count();
  const auto number = [&](model::Time t) {
    const std::int64_t since = clock.known() ? clock.realtime(t) : (t - study.begin).count();
    return since >= 0 ? since / length : -1;
  };
  Builder builder(table, ends);
  builder.build(study);  // so that all names are there
  std::vector<model::Topology> out;
  // Rows are in order of start; those whose start is not known come first.
  std::uint32_t first = 0;
  while (first < rows.size() && !formats::known(rows.start(first))) ++first;
  if (first > 0) {
    model::Study nowhere;
    nowhere.quality.unseen = study.quality.unseen;
    out.push_back(builder.build(nowhere, 0, first));
  }
  while (first < rows.size()) {
    const std::int64_t which = number(rows.start(first));
    std::uint32_t last = first + 1;
    while (last < rows.size() && number(rows.start(last)) == which) ++last;
    if (out.size() == kMaxWindows)
      throw std::runtime_error("more than " + std::to_string(kMaxWindows) + " windows; give a longer --window");
    model::Study part;
    part.quality.unseen = study.quality.unseen;  // any of them may have been in this one
    // Its place on the capture's clock: as far from the first request as the wall clock says.
    const std::int64_t since =
        clock.known() ? clock.realtime(rows.start(first)) : (rows.start(first) - study.begin).count();
    const model::Time begin = rows.start(first) - model::Duration{since - which * length};
    part.begin = std::max(begin, study.begin);
    part.end = std::min(begin + window, study.end);
    out.push_back(builder.build(part, first, last));
    first = last;
  }
  return out;
}

}  // namespace tailcap::tail
