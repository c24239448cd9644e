#include "tests/lab/service/request.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <ctime>

namespace tailcap::lab {
namespace {

std::string header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at + 2)) {
    std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const std::size_t colon = line.find(':');
    if (colon != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < colon; ++i) same = same && (line[i] | 32) == name[i];
    if (!same) continue;
    line.remove_prefix(colon + 1);
    while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
    return std::string(line);
  }
  return {};
}

}  // namespace

std::int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}

bool take_request(std::string& buffer, Request& request) {
  const std::size_t end = buffer.find("\r\n\r\n");
  if (end == buffer.npos) return false;
  const std::string head = buffer.substr(0, end + 2);
  buffer.erase(0, end + 4);
  request = {};
  request.read_ns = monotonic_ns();
  const std::size_t first = head.find(' '), second = head.find(' ', first + 1);
  if (first == head.npos || second == head.npos) return true;
  request.path = head.substr(first + 1, second - first - 1);
  request.id = header(head, "x-request-id");
  const std::size_t slash = std::min(request.path.find('/', 1), request.path.size());
  request.fault = request.path.substr(1, slash - 1);
  char* rest = nullptr;
  if (slash < request.path.size()) {
    request.argument = std::strtoll(request.path.c_str() + slash + 1, &rest, 10);
    request.rest = rest;
  }
  return true;
}

std::string response(std::string_view body, int status) {
  return "HTTP/1.1 " + std::string(status == 200 ? "200 OK" : "502 Bad Gateway") +
         "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

bool read_more(int socket, std::string& buffer) {
  char bytes[16384];
  ssize_t n;
  do n = recv(socket, bytes, sizeof bytes, 0);
  while (n < 0 && errno == EINTR);
  if (n <= 0) return false;
  buffer.append(bytes, static_cast<std::size_t>(n));
  return true;
}

bool write_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace tailcap::lab
