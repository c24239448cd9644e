// Connections as events, and the audit of them.
#pragma once

#include <arpa/inet.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/audit/audit.h"
#include "analyze/query/audit/network_policy_file.h"
#include "formats/event.h"

namespace tailcap::audit {

struct Given {
  std::uint32_t pid = 0;  // of the recorded end; 0: nothing says which
  formats::Origin origin = formats::Origin::connected;
  std::string local, remote;  // "10.0.0.1:80"; empty: it was not described
  std::uint32_t net_namespace = 1;
  bool closes = false;
};

class Case {
 public:
  explicit Case(const std::string& policies, const std::string& pods = "") {
    if (!policies.empty()) question.policies = query::network_policies_of(policies, "policies.yaml");
    if (!pods.empty()) pods_ = query::pods_of(pods);
  }

  Case& process(std::uint32_t pid, const std::string& name, const std::string& cgroup = "") {
    texts_.push_back({name, cgroup});
    pushed_.push_back([this, pid, i = texts_.size() - 1] {
      formats::TaskInfo info;
      info.comm = texts_[i].first;
      info.cgroup = texts_[i].second;
      push({pid, pid}, info);
    });
    return *this;
  }

  Case& connect(const Given& g) {
    pushed_.push_back([this, g] { events(g); });
    return *this;
  }
  // Recorded at both ends.
  Case& both(std::uint32_t client, std::uint32_t server, const std::string& from, const std::string& to,
             std::uint32_t net_namespace = 1, bool closes = false) {
    connect({client, formats::Origin::connected, from, to, net_namespace, closes});
    connect({server, formats::Origin::accepted, to, from, net_namespace, closes});
    pushed_.push_back([this] { close(); });
    return *this;
  }
  Case& interface(std::uint32_t net_namespace, const std::string& ip) {
    pushed_.push_back([this, net_namespace, ip] {
      formats::NetInterface own;
      own.net_namespace = net_namespace;
      own.family = formats::Family::inet;
      own.address = address(ip + ":0");
      push({}, own);
    });
    return *this;
  }

  model::audit::Audit run() {
    Ends ends;
    ends_ = &ends;
    now_ = 1'000'000'000;
    for (const auto& one : pushed_) one();
    push({}, formats::CaptureEnd{});
    return audit(question, pods_, ends);
  }

  AuditQuestion question;

 private:
  static formats::Address address(const std::string& text) {
    formats::Address out;
    const auto colon = text.rfind(':');
    inet_pton(AF_INET, text.substr(0, colon).c_str(), out.bytes.data());
    out.port = static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1)));
    return out;
  }
  void push(formats::Thread thread, formats::Body body) {
    ends_->push({formats::time_from(now_ += 1'000'000), thread, std::move(body)});
  }
  void events(const Given& g) {
    const formats::SocketId socket = ++socket_;
    using formats::TcpState;
    const formats::Thread thread{g.pid, g.pid};
    if (g.origin == formats::Origin::connected)
      push(thread, formats::StateChange{socket, TcpState::close, TcpState::syn_sent, g.pid != 0, 0, 0});
    if (!g.local.empty()) {
      formats::SocketInfo info;
      info.socket = socket;
      info.family = formats::Family::inet;
      info.type = formats::SocketType::stream;
      info.origin = g.origin;
      info.state = TcpState::established;
      info.local = address(g.local);
      info.remote = address(g.remote);
      info.net_namespace = g.net_namespace;
      push({}, info);
    }
    if (g.pid == 0) return;
    formats::Io io;
    io.socket = socket;
    io.length = 5;
    push(thread, io);
    if (g.closes) closing_.push_back(socket);
  }
  void close() {
    for (const formats::SocketId socket : closing_)
      push({}, formats::StateChange{socket, formats::TcpState::last_ack, formats::TcpState::close, false, 0, 0});
    closing_.clear();
  }

  model::audit::Pods pods_;
  std::vector<std::pair<std::string, std::string>> texts_;
  std::vector<std::function<void()>> pushed_;
  std::vector<formats::SocketId> closing_;
  Ends* ends_ = nullptr;
  std::int64_t now_ = 0;
  formats::SocketId socket_ = 0;
};

}  // namespace tailcap::audit
