#include "samples/service/responder.h"

#include <cstdio>

namespace tailcap::samples {
namespace {

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

}  // namespace

bool Responder::has_body() const { return request_.method != "HEAD" && status_ != 204 && status_ != 304; }

std::string Responder::head(int status, std::string_view framing, std::string_view more_headers) const {
  std::string text = "HTTP/1.1 " + std::to_string(status) + " " + reason(status) + "\r\nserver: tailcap-sample\r\n";
  if (status != 204) text.append("content-type: application/json\r\n").append(framing);
  text.append(more_headers);
  if (!request_.keep_alive) text += "connection: close\r\n";
  if (!request_.id.empty()) text += "x-request-id: " + request_.id + "\r\n";
  return text + "\r\n";
}

void Responder::whole(int status, std::string_view body, std::string_view more_headers) {
  status_ = status;
  const std::string framing = "content-length: " + std::to_string(body.size()) + "\r\n";
  if (!has_body()) body = {};
  delivered_ = connection_.write(head(status, framing, more_headers), body);
  if (delivered_) body_bytes_ = body.size();
}

void Responder::file(int descriptor, std::uint64_t bytes) {
  status_ = 200;
  const std::string framing = "content-length: " + std::to_string(bytes) + "\r\n";
  delivered_ = connection_.write(head(200, framing, {}), {});
  if (!has_body()) return;
  delivered_ = delivered_ && connection_.send_file(descriptor, bytes);
  if (delivered_) body_bytes_ = bytes;
}

void Responder::begin_chunks(int status) {
  status_ = status;
  delivered_ = connection_.write(head(status, "transfer-encoding: chunked\r\n", {}), {});
}

void Responder::chunk(std::string_view bytes) {
  if (!has_body() || !delivered_) return;
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  delivered_ = connection_.write(size, std::string(bytes) + "\r\n");
  if (delivered_) body_bytes_ += bytes.size();
}

void Responder::end_chunks() {
  if (has_body() && delivered_) delivered_ = connection_.write("0\r\n\r\n", {});
}

}  // namespace tailcap::samples
