// Writes one response in the form that the request requires: HEAD, 204 and 304 have no body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "samples/service/http.h"

namespace tailcap::samples {

class Responder {
 public:
  // Both outlive the responder.
  Responder(HttpConnection& connection, const HttpRequest& request) : connection_(connection), request_(request) {}

  // Exactly one of: whole(), file(), or begin_chunks() with chunks and end_chunks().
  void whole(int status, std::string_view body, std::string_view more_headers = {});
  void file(int descriptor, std::uint64_t bytes);
  void begin_chunks(int status);
  void chunk(std::string_view bytes);  // not empty
  void end_chunks();

  int status() const { return status_; }
  std::uint64_t body_bytes() const { return body_bytes_; }  // written to the peer, after transfer decoding
  bool delivered() const { return delivered_; }             // everything was written

 private:
  std::string head(int status, std::string_view framing, std::string_view more_headers) const;
  bool has_body() const;

  HttpConnection& connection_;
  const HttpRequest& request_;
  int status_ = 0;
  std::uint64_t body_bytes_ = 0;
  bool delivered_ = true;
};

}  // namespace tailcap::samples
