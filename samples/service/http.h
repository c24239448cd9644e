// The server's end of one HTTP/1.1 connection: requests in, responses out, over a blocking socket.
//
// Keep-alive, pipelining, Content-Length and chunked request bodies, Expect: 100-continue. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::samples {

std::int64_t monotonic_ns();

struct HttpRequest {
  std::string method, target;
  std::string id;  // x-request-id
  std::string if_none_match;
  std::string body;              // at most kMaxBodyKept of it
  std::uint64_t body_bytes = 0;  // all of it, after transfer decoding
  std::int64_t start_ns = 0;     // when its first bytes were read (or were found behind the previous request)
  bool keep_alive = true;
};

class HttpConnection {
 public:
  static constexpr std::size_t kMaxHead = 64 * 1024;
  static constexpr std::size_t kMaxBodyKept = 64 * 1024;

  // The caller keeps ownership of the socket.
  explicit HttpConnection(int socket) : socket_(socket) {}
  HttpConnection(const HttpConnection&) = delete;
  HttpConnection& operator=(const HttpConnection&) = delete;

  // Reads the next request with its whole body. False: the peer is done, or sent something other than HTTP.
  bool read(HttpRequest& request);

  // Writes head and body completely, with one call if the kernel accepts it. False: the peer is gone.
  bool write(std::string_view head, std::string_view body);
  // Sends the first `bytes` of a file without copying them through this process.
  bool send_file(int file, std::uint64_t bytes);

 private:
  bool fill();  // reads more into buffer_
  bool take_line(std::string& line);
  bool read_exactly(std::uint64_t bytes, HttpRequest& request);
  bool read_chunks(HttpRequest& request);

  int socket_;
  std::string buffer_;
  std::int64_t filled_ns_ = 0;  // when the oldest byte of buffer_ was read
};

}  // namespace tailcap::samples
