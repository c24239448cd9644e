#include "inject/self_test.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>
#include <thread>
#include <vector>

#include "ground/http/request_ids.h"

namespace tailcap::inject {
namespace {

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "self-test: no connection over loopback");
    const timeval patience{5, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  }
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// What a program sends in one call, and where lines are expected in it.
struct Step {
  std::string bytes;
  std::vector<std::size_t> cuts = {};
};

std::string digits(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(n));
  return text;
}

std::string lines_of(std::uint64_t seed, bool sampled) {
  const std::string trace = digits(ground::trace_high(seed)) + digits(ground::trace_low(seed));
  return "traceparent: 00-" + trace + "-" + digits(ground::span_of(seed, ground::kRequestSpan)) +
         (sampled ? "-01" : "-00") + "\r\nX-Request-Id: " + trace + "\r\n";
}

void add_request(Step& step, const std::string& head, const std::string& body = "") {
  step.cuts.push_back(step.bytes.size() + head.size());
  step.bytes += head + "\r\n" + body;
}

std::vector<Step> steps() {
  std::vector<Step> out;
  // More than one piece of memory that the kernel takes for sends, so heads lie across its end, at many places.
  for (int i = 0; i < 700; ++i) {
    Step step;
    add_request(step, "GET /self-test HTTP/1.1\r\nHost: localhost\r\nX-Padding: " +
                          std::string(static_cast<std::size_t>(20 + i % 97), 'x') + "\r\n");
    out.push_back(std::move(step));
  }
  const std::string body(100'000, 'b'), post = "POST /self-test HTTP/1.1\r\nHost: localhost\r\n";
  Step with_body, pipelined;
  add_request(with_body, post + "Content-Length: 100000\r\n", body);
  out.push_back(std::move(with_body));
  for (int i = 0; i < 5; ++i) add_request(pipelined, "GET /self-test HTTP/1.1\r\nHost: localhost\r\n");
  add_request(pipelined, post + "content-length: 3\r\n", "abc");
  out.push_back(std::move(pipelined));
  Step chunked;
  add_request(chunked, post + "Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n1");
  out.push_back(std::move(chunked));
  out.push_back({"0\r\nGET / HTTP/1.1\r"});  // looks like a request, and is a chunk's content
  out.push_back({"\n\r\n0\r\n\r\n"});
  out.push_back({"GET /self-test HTTP/1.1\r\nHost: localhost\r\nTraceparent: its-own\r\n\r\n"});
  Step last;
  add_request(last, "GET /self-test HTTP/1.0\r\n");
  out.push_back(std::move(last));
  return out;
}

std::string expected(const Step& step, std::uint64_t salt, std::uint64_t cookie, std::uint32_t& number, bool sampled) {
  std::string out = step.bytes;
  std::vector<std::string> added;
  for (std::size_t i = 0; i < step.cuts.size(); ++i)
    added.push_back(lines_of(ground::wire_seed(salt, cookie, ++number), sampled));
  for (std::size_t i = step.cuts.size(); i-- > 0;) out.insert(step.cuts[i], added[i]);
  return out;
}

bool send_all(int fd, const std::string& bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = ::send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (n <= 0) return false;
    at += static_cast<std::size_t>(n);
  }
  return true;
}

std::string receive(int fd, std::size_t bytes) {
  std::string out(bytes, '\0');
  std::size_t at = 0;
  while (at < bytes) {
    const ssize_t n = ::recv(fd, out.data() + at, bytes - at, 0);
    if (n <= 0) break;
    at += static_cast<std::size_t>(n);
  }
  out.resize(at);
  return out;
}

std::string run(std::uint64_t machine_salt, bool sampled) {
  const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const Socket client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  if (::bind(listener.get(), any, size) != 0 || ::listen(listener.get(), 1) != 0 ||
      ::getsockname(listener.get(), any, &size) != 0 || ::connect(client.get(), any, size) != 0)
    throw std::system_error(errno, std::generic_category(), "self-test: no connection over loopback");
  const int on = 1;
  ::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // or the largest send is left alone
  const Socket server(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
  std::uint64_t cookie = 0;
  socklen_t cookie_size = sizeof cookie;
  if (::getsockopt(client.get(), SOL_SOCKET, SO_COOKIE, &cookie, &cookie_size) != 0)
    throw std::system_error(errno, std::generic_category(), "self-test: the socket has no cookie");
  std::uint32_t number = 0;
  std::size_t n = 0;
  for (const Step& step : steps()) {
    ++n;
    if (step.cuts.empty() && step.bytes.starts_with("GET")) ++number;
    const std::string wanted = expected(step, machine_salt, cookie, number, sampled);
    bool sent = false;
    std::thread sender([&] { sent = send_all(client.get(), step.bytes); });
    const std::string got = receive(server.get(), wanted.size());
    sender.join();
    if (!sent || got != wanted)
      return "what arrived of send " + std::to_string(n) + " is not what should have: " + std::to_string(got.size()) +
             " bytes, " + std::to_string(wanted.size()) + " expected";
    // The answer confirms what was sent, as a server's does.
    if (!send_all(server.get(), "k") || receive(client.get(), 1) != "k") return "an answer did not arrive";
  }
  ::shutdown(client.get(), SHUT_WR);
  if (!receive(server.get(), 1).empty()) return "more bytes arrived than should have";
  return "";
}

}  // namespace

std::string self_test(Programs& programs, std::uint64_t machine_salt, bool sampled) {
  programs.follow_only(static_cast<std::uint32_t>(::getpid()));
  std::string wrong = run(machine_salt, sampled);
  programs.stop();
  return wrong;
}

}  // namespace tailcap::inject
