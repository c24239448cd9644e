#include "capture/probes/self_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "bpf/event.h"
#include "capture/host/clocks.h"
#include "capture/rings/rings.h"

namespace tailcap::capture {

using formats::HookTier;
using Clock = std::chrono::steady_clock;

namespace {

// Not a request of any protocol; short, so that a ring of one page holds all records.
constexpr std::string_view kThere = "tailcap: self-test, first message", kBack = "tailcap: self-test, the answer";
constexpr int kPatienceMs = 2000;  // for the child; it needs less than one
constexpr std::array<std::string_view, 10> kPrograms = {
    "io_send",          "io_send_nested", "io_receive",     "io_receive_nested", "call_done",
    "call_done_nested", "arrival",        "arrival_nested", "state_change",      "state_change_nested"};

// The child's knowledge of its connection.
struct Truth {
  int error = 0;                                         // errno of the call that failed
  std::uint64_t client = 0, listener = 0, accepted = 0;  // cookies
  std::uint16_t client_port = 0, listener_port = 0;
};

std::uint16_t port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  return getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 ? ntohs(address.sin_port)
                                                                                : std::uint16_t{0};
}

std::uint64_t cookie_of(int socket) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  getsockopt(socket, SOL_SOCKET, SO_COOKIE, &cookie, &size);
  return cookie;
}

// Runs in a forked child, beside threads of the parent that no longer exist: system calls only.
Truth connect_to_oneself() {
  Truth truth;
  sockaddr_in address{};
  socklen_t size = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* at = reinterpret_cast<sockaddr*>(&address);
  char buffer[128];
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  int accepted = -1;
  const bool done = listener >= 0 && client >= 0 && bind(listener, at, size) == 0 && listen(listener, 1) == 0 &&
                    getsockname(listener, at, &size) == 0 && connect(client, at, size) == 0 &&
                    (accepted = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0 &&
                    send(client, kThere.data(), kThere.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(kThere.size()) &&
                    recv(accepted, buffer, sizeof buffer, 0) == static_cast<ssize_t>(kThere.size()) &&
                    write(accepted, kBack.data(), kBack.size()) == static_cast<ssize_t>(kBack.size()) &&
                    read(client, buffer, sizeof buffer) == static_cast<ssize_t>(kBack.size());
  truth.error = done ? 0 : errno ? errno : EPROTO;
  truth.client = cookie_of(client);
  truth.listener = cookie_of(listener);
  truth.accepted = accepted >= 0 ? cookie_of(accepted) : 0;
  truth.client_port = port_of(client);
  truth.listener_port = port_of(listener);
  return truth;
}

// A child that waits for permission to begin. It uses pipes, since sockets would be recorded.
class Connection {
 public:
  Connection() {
    if (pipe2(go_, O_CLOEXEC) != 0 || pipe2(answer_, O_CLOEXEC) != 0) return;
    pid_ = fork();
    if (pid_ == 0) {
      char go = 0;
      if (read(go_[0], &go, 1) == 1) {
        const Truth truth = connect_to_oneself();
        if (write(answer_[1], &truth, sizeof truth) != sizeof truth) _exit(1);
      }
      _exit(0);
    }
    if (pid_ > 0) process_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  }
  ~Connection() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    for (const int end : {go_[0], go_[1], answer_[0], answer_[1], process_}) {
      if (end >= 0) close(end);
    }
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  bool waits() const { return process_ >= 0; }
  int process() const { return process_; }
  std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  Truth make() {
    Truth truth;
    pollfd answer{answer_[0], POLLIN, 0};
    if (write(go_[1], "g", 1) == 1 && poll(&answer, 1, kPatienceMs) == 1 &&
        read(answer_[0], &truth, sizeof truth) == sizeof truth)
      return truth;
    truth.error = ETIMEDOUT;
    return truth;
  }

 private:
  int go_[2] = {-1, -1}, answer_[2] = {-1, -1};
  int process_ = -1;
  pid_t pid_ = -1;
};

struct Moved {
  std::uint16_t kind = 0;
  std::uint64_t socket = 0;
  std::uint32_t position = 0, length = 0;
  std::string head;
};

// Where sockets have numbers of the recorder, their descriptions say which of them are the child's.
void learn_numbers(Truth& truth, const bpf::record_socket& socket) {
  if (socket.family != AF_INET) return;
  if (socket.state == TCP_LISTEN && socket.local_port == truth.listener_port) truth.listener = socket.socket;
  if (socket.state != TCP_ESTABLISHED) return;
  if (socket.local_port == truth.client_port && socket.remote_port == truth.listener_port) truth.client = socket.socket;
  if (socket.local_port == truth.listener_port && socket.remote_port == truth.client_port)
    truth.accepted = socket.socket;
}

// I/O on the child's connection, and on any other socket of the child.
std::vector<Moved> reported(Rings& rings, Truth& truth, bool numbered, std::uint32_t pid) {
  std::vector<Moved> all;
  rings.begin(monotonic_now(), true);
  for (auto record = rings.next(); !record.empty(); record = rings.next()) {
    bpf::record_header head;
    if (record.size() < sizeof head) continue;
    std::memcpy(&head, record.data(), sizeof head);
    if ((head.kind == bpf::RECORD_SEND || head.kind == bpf::RECORD_RECEIVE) &&
        record.size() >= sizeof(bpf::record_io)) {
      bpf::record_io io;
      std::memcpy(&io, record.data(), sizeof io);
      if (head.pid != pid) continue;
      const auto* bytes = reinterpret_cast<const char*>(record.data()) + sizeof io;
      all.push_back({head.kind, io.socket, static_cast<std::uint32_t>(io.position), head.length,
                     std::string(bytes, std::min<std::size_t>(io.head, record.size() - sizeof io))});
    } else if (head.kind == bpf::RECORD_ARRIVAL && record.size() >= sizeof(bpf::record_segment)) {
      bpf::record_segment segment;
      std::memcpy(&segment, record.data(), sizeof segment);
      all.push_back({head.kind, segment.socket, segment.position, head.length, {}});
    } else if (numbered && head.kind == bpf::RECORD_SOCKET && record.size() >= sizeof(bpf::record_socket)) {
      bpf::record_socket socket;
      std::memcpy(&socket, record.data(), sizeof socket);
      learn_numbers(truth, socket);
    }
  }
  rings.release();
  std::erase_if(all, [&](const Moved& m) {
    return m.kind == bpf::RECORD_ARRIVAL && m.socket != truth.client && m.socket != truth.accepted &&
           m.socket != truth.listener;
  });
  return all;
}

// Compares one message as sent and as received.
std::string compare(const std::vector<Moved>& all, const ProbeSettings& settings, std::string_view message,
                    std::uint64_t from, std::uint64_t to) {
  const auto find = [&](std::uint16_t kind, std::uint64_t socket) {
    return std::find_if(all.begin(), all.end(), [&](const Moved& m) { return m.kind == kind && m.socket == socket; });
  };
  const auto sent = find(bpf::RECORD_SEND, from), received = find(bpf::RECORD_RECEIVE, to),
             arrived = find(bpf::RECORD_ARRIVAL, to);
  if (sent == all.end()) return "a send is not reported";
  if (received == all.end()) return "a receive is not reported";
  if (sent->length != message.size() || received->length != message.size()) return "a length is wrong";
  if (sent->position != received->position) return "the positions of a send and of its receive differ";
  if (settings.has(Group::arrivals)) {
    if (arrived == all.end()) return "an arrival is not reported";
    if (arrived->position != sent->position || arrived->length != message.size())
      return "an arrival is reported with a wrong place";
  }
  const std::string_view kept = message.substr(0, settings.payload_limit);
  if (sent->head != kept || received->head != kept) return "the payload is wrong";
  return "";
}

std::string compare(const std::vector<Moved>& all, const ProbeSettings& settings, const Truth& truth) {
  for (const Moved& m : all) {
    if (m.socket == truth.listener) return "an accepted connection is reported as its listener";
    if (m.socket != truth.client && m.socket != truth.accepted) return "a connection is reported as another one";
  }
  const auto there = compare(all, settings, kThere, truth.client, truth.accepted);
  if (!there.empty()) return there;
  const auto back = compare(all, settings, kBack, truth.accepted, truth.client);
  if (!back.empty()) return back;
  const std::size_t moves = settings.has(Group::arrivals) ? 6 : 4;
  return all.size() == moves ? "" : "more is reported than there was";
}

const char* letter(HookTier tier) { return tier == HookTier::a ? "a" : "c"; }

}  // namespace

SelfTest self_test(Probes& probes) {
  SelfTest result;
  const auto start = Clock::now();
  Connection connection;
  if (!connection.waits()) {
    result.inconclusive = std::strerror(errno);
    return result;
  }
  Rings rings(probes.rings());
  probes.make_target(connection.pid(), connection.process());
  probes.sample_connections(false);
  probes.attach(kPrograms);
  Truth truth = connection.make();
  probes.detach_tracepoints();
  const auto all = reported(rings, truth, probes.numbers_sockets(), connection.pid());
  const auto losses = probes.losses();
  probes.forget_losses();
  probes.sample_connections(true);
  if (truth.error)
    result.inconclusive = std::strerror(truth.error);
  else if (!losses.empty())
    result.inconclusive = "the ring is too small";
  else
    result.wrong = compare(all, probes.settings(), truth);
  result.took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start);
  return result;
}

ProvenProbes proven_probes(const ProbeSettings& settings) {
  ProvenProbes proven;
  proven.probes = std::make_unique<Probes>(settings);
  proven.sentences = proven.probes->not_recorded();
  if (!proven.probes->settings().has(Group::io) || settings.node) return proven;
  proven.result = self_test(*proven.probes);
  if (!proven.result.inconclusive.empty())
    proven.sentences.push_back("the self-test over loopback could not be made (" + proven.result.inconclusive +
                               "): what is recorded is not checked");
  if (proven.result.wrong.empty()) return proven;
  const HookTier tier = proven.probes->tier().tier;
  const std::string what = std::string("tier ") + letter(tier) +
                           " reports a connection to oneself wrongly on this kernel (" + proven.result.wrong + ")";
  if (settings.tier != HookTier::unknown || tier == HookTier::c)
    throw std::runtime_error("recording is refused: " + what + ". `tailcap doctor` tests the other tier.");
  ProbeSettings other = settings;
  other.tier = HookTier::c;
  other.tier_reason = what;
  proven.probes.reset();
  proven.probes = std::make_unique<Probes>(other);
  const SelfTest second = self_test(*proven.probes);
  if (!second.wrong.empty())
    throw std::runtime_error("recording is refused: " + what + ", and so does tier c (" + second.wrong + ").");
  proven.result = second;
  proven.sentences = proven.probes->not_recorded();
  proven.sentences.push_back(what + ". Tier c, which is right, takes its place.");
  return proven;
}

}  // namespace tailcap::capture
