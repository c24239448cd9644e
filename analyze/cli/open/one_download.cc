#include "analyze/cli/open/one_download.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "analyze/cli/output/signals.h"
#include "ground/text.h"

namespace tailcap::cli {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::size_t kMostHead = 16u << 10;  // of a request; browsers send some 700 bytes
constexpr auto kForHead = 5s;                 // until a peer has sent it
constexpr int kForPiece = 20'000;             // ms until a peer takes more of the file
constexpr int kLook = 200;                    // ms between two looks for a signal

struct HeldSocket {
  int fd = -1;
  ~HeldSocket() {
    if (fd >= 0) close(fd);
  }
};

std::string secret() {
  std::array<char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw std::system_error(errno, std::generic_category(), "cannot make a secret name");
  return ground::hex_text(std::string_view(bytes.data(), bytes.size()));
}

// Safe in a URL and in a header.
std::string plain_name(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ? c : '_';
  return out;
}

bool ready(int fd, short what, int ms) {
  pollfd one{fd, what, 0};
  return poll(&one, 1, ms) > 0 && (one.revents & (what | POLLHUP | POLLERR)) != 0;
}

bool send_text(int peer, std::string_view text) {
  while (!text.empty()) {
    if (!ready(peer, POLLOUT, kForPiece)) return false;
    const ssize_t n = send(peer, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Up to the empty line. Empty: it did not come.
std::string head_from(int peer) {
  std::string head;
  const auto until = Clock::now() + kForHead;
  while (head.find("\r\n\r\n") == head.npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0 || head.size() >= kMostHead || !ready(peer, POLLIN, static_cast<int>(left))) return {};
    std::array<char, 4096> piece;
    const ssize_t n = recv(peer, piece.data(), piece.size(), MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return {};
    head.append(piece.data(), static_cast<std::size_t>(n));
  }
  return head;
}

std::string word_of(std::string_view& text) {
  const std::size_t end = std::min(text.find_first_of(" \r\n"), text.size());
  std::string word(text.substr(0, end));
  text.remove_prefix(std::min(text.size(), end + 1));
  return word;
}

}  // namespace

OneDownload::OneDownload(std::uint16_t port, std::string file, std::string name, std::string origin)
    : file_(std::move(file)), origin_(std::move(origin)) {
  path_ = "/" + secret() + "/" + plain_name(name);
  url_ = "http://127.0.0.1:" + std::to_string(port) + path_;
  listening_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (listening_ >= 0) setsockopt(listening_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listening_ >= 0 && bind(listening_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 &&
      listen(listening_, 8) == 0)
    return;
  const int error = errno;
  if (listening_ >= 0) close(listening_);
  if (error == EADDRINUSE)
    throw std::runtime_error("port " + std::to_string(port) +
                             " of 127.0.0.1 is taken, perhaps by another trace that is being opened. Perfetto's page "
                             "reads from no other port");
  throw std::system_error(error, std::generic_category(), "cannot listen at 127.0.0.1:" + std::to_string(port));
}

OneDownload::~OneDownload() {
  if (listening_ >= 0) close(listening_);
}

bool OneDownload::send_file(int peer, bool body) {
  const HeldSocket in{open(file_.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat facts {};
  if (in.fd < 0 || fstat(in.fd, &facts) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot read " + file_);
  if (!send_text(peer, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                           std::to_string(facts.st_size) + "\r\nAccess-Control-Allow-Origin: " + origin_ +
                           "\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n") ||
      !body)
    return false;
  // Not sendfile: where the peer has gone, that ends the program by SIGPIPE.
  std::string piece(256u << 10, '\0');
  for (off_t at = 0; at < facts.st_size;) {
    const ssize_t n = pread(in.fd, piece.data(), piece.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0 || !send_text(peer, std::string_view(piece.data(), static_cast<std::size_t>(n)))) return false;
    at += n;
  }
  return true;
}

bool OneDownload::answer(int peer) {
  const std::string head = head_from(peer);
  std::string_view rest = head;
  const std::string method = word_of(rest), path = word_of(rest);
  if (path == path_ && (method == "GET" || method == "HEAD")) return send_file(peer, method == "GET");
  // What Chromium asks before a page of the internet may read from this machine.
  if (path == path_ && method == "OPTIONS") {
    send_text(peer, "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: " + origin_ +
                        "\r\nAccess-Control-Allow-Methods: GET\r\nAccess-Control-Allow-Private-Network: true"
                        "\r\nConnection: close\r\n\r\n");
    return false;
  }
  if (!head.empty()) send_text(peer, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  return false;
}

bool OneDownload::serve(formats::Duration patience) {
  const auto until = Clock::now() + patience;
  while (!ended_by_signal() && Clock::now() < until) {
    if (!ready(listening_, POLLIN, kLook)) continue;
    const HeldSocket peer{accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (peer.fd < 0) continue;
    const bool whole = answer(peer.fd);
    shutdown(peer.fd, SHUT_WR);
    if (!whole) continue;
    char ignored = 0;  // until the peer has taken what is in the socket
    while (ready(peer.fd, POLLIN, 2'000) && recv(peer.fd, &ignored, 1, MSG_DONTWAIT) > 0) {
    }
    return true;
  }
  return false;
}

}  // namespace tailcap::cli
