#include "samples/service/http.h"

#include <strings.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace tailcap::samples {
namespace {

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool parse_number(std::string_view text, int base, std::uint64_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  return error == std::errc{} && end != text.data();
}

}  // namespace

std::int64_t monotonic_ns() {
  timespec t{};
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

bool HttpConnection::fill() {
  std::array<char, 16 * 1024> bytes;
  const ssize_t n = recv(socket_, bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  if (buffer_.empty()) filled_ns_ = monotonic_ns();
  buffer_.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

bool HttpConnection::take_line(std::string& line) {
  std::size_t end;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > kMaxHead || !fill()) return false;
  }
  line.assign(buffer_, 0, end);
  buffer_.erase(0, end + 2);
  return true;
}

bool HttpConnection::read_exactly(std::uint64_t bytes, HttpRequest& request) {
  request.body_bytes += bytes;
  while (bytes > 0) {
    if (buffer_.empty() && !fill()) return false;
    const auto n = std::min<std::uint64_t>(bytes, buffer_.size());
    const auto kept = std::min<std::size_t>(n, kMaxBodyKept - std::min(kMaxBodyKept, request.body.size()));
    request.body.append(buffer_, 0, kept);
    buffer_.erase(0, n);
    bytes -= n;
  }
  return true;
}

bool HttpConnection::read_chunks(HttpRequest& request) {
  std::string line;
  for (;;) {
    std::uint64_t size = 0;
    if (!take_line(line) || !parse_number(line, 16, size)) return false;
    if (size == 0) break;
    if (!read_exactly(size, request) || !take_line(line) || !line.empty()) return false;
  }
  do {
    if (!take_line(line)) return false;  // trailers
  } while (!line.empty());
  return true;
}

bool HttpConnection::read(HttpRequest& request) {
  request = {};
  if (buffer_.empty() && !fill()) return false;
  request.start_ns = filled_ns_;

  std::string line;
  if (!take_line(line)) return false;
  const auto first = line.find(' '), last = line.rfind(' ');
  if (first == std::string::npos || last <= first) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  request.keep_alive = line.substr(last + 1) == "HTTP/1.1";

  std::uint64_t length = 0;
  bool chunked = false, expects_continue = false;
  for (;;) {
    if (!take_line(line)) return false;
    if (line.empty()) break;
    const auto colon = line.find(':');
    if (colon == std::string::npos) return false;
    const std::string_view name(line.data(), colon);
    const std::string_view value = trimmed(std::string_view(line).substr(colon + 1));
    if (same(name, "content-length") && !parse_number(value, 10, length)) return false;
    if (same(name, "transfer-encoding")) chunked = same(value, "chunked");
    if (same(name, "expect")) expects_continue = same(value, "100-continue");
    if (same(name, "connection") && same(value, "close")) request.keep_alive = false;
    if (same(name, "connection") && same(value, "keep-alive")) request.keep_alive = true;
    if (same(name, "x-request-id")) request.id = value;
    if (same(name, "if-none-match")) request.if_none_match = value;
  }
  if (expects_continue && !write("HTTP/1.1 100 Continue\r\n\r\n", {})) return false;
  if (!(chunked ? read_chunks(request) : read_exactly(length, request))) return false;
  filled_ns_ = monotonic_ns();  // a request that is already in the buffer begins now
  return true;
}

bool HttpConnection::write(std::string_view head, std::string_view body) {
  while (!head.empty() || !body.empty()) {
    std::array<iovec, 2> pieces{
        {{const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(body.data()), body.size()}}};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = body.empty() ? 1 : 2;
    const ssize_t n = sendmsg(socket_, &message, MSG_NOSIGNAL);
    if (n <= 0) return false;
    const auto sent = static_cast<std::size_t>(n);
    const auto of_head = std::min(sent, head.size());
    head.remove_prefix(of_head);
    body.remove_prefix(sent - of_head);
  }
  return true;
}

bool HttpConnection::send_file(int file, std::uint64_t bytes) {
  off_t offset = 0;
  while (bytes > 0) {
    const ssize_t n = sendfile(socket_, file, &offset, std::min<std::uint64_t>(bytes, 1u << 30));
    if (n <= 0) return false;
    bytes -= static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace tailcap::samples
