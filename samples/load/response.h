// Parses one HTTP/1.1 response as its bytes arrive: status, body bytes, and where it ends.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::samples {

class ResponseReader {
 public:
  enum class State { head, body, chunk_size, chunk_data, chunk_end, trailer, until_close, done, broken };

  // Starts over for the response to a request with this method.
  void start(std::string_view method);
  // Takes bytes of this response; returns how many (fewer than given only if the response is complete or invalid).
  std::size_t take(std::string_view bytes);
  // The peer closed: the response is done if it ends that way, else broken.
  void closed();

  State state() const { return state_; }
  int status() const { return status_; }
  std::uint64_t body_bytes() const { return body_bytes_; }
  bool keep_alive() const { return keep_alive_; }

 private:
  void line_done();
  void header(std::string_view line);
  void head_done();

  State state_ = State::done;
  std::string line_;
  std::uint64_t left_ = 0, body_bytes_ = 0, length_ = 0;
  int status_ = 0;
  bool head_only_ = false, chunked_ = false, has_length_ = false, keep_alive_ = true;
};

}  // namespace tailcap::samples
