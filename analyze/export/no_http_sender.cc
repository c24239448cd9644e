// HttpSender of a build that has no HTTP client: libcurl has libraries behind it that cannot be linked statically.
#include <stdexcept>

#include "analyze/export/http.h"

namespace tailcap::exports {

struct HttpSender::Impl {};

HttpSender::HttpSender(const Endpoint&) {
  throw std::runtime_error(
      "this tailcap is the static build, which does not send over HTTP: write a file and send that, or install the "
      "package");
}

HttpSender::~HttpSender() = default;

std::string HttpSender::post(std::string_view, const char*, std::string_view) { return {}; }

}  // namespace tailcap::exports
