#include "samples/service/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace tailcap::samples {
namespace {

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

Journal::Journal(const std::string& name) {
  if (name.empty()) return;
  descriptor_ = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "cannot write the journal " + name);
}

Journal::~Journal() {
  if (descriptor_ >= 0) close(descriptor_);
}

void JournalPage::note(const HttpRequest& request, const Responder& response, std::int64_t end_ns) {
  if (descriptor_ < 0) return;
  char numbers[320];
  std::snprintf(
      numbers, sizeof numbers,
      R"(,"status":%d,"request_bytes":%llu,"response_bytes":%llu,"start_ns":%lld,"end_ns":%lld,"pid":%d,"tid":%d,"delivered":%s})",
      response.status(), static_cast<unsigned long long>(request.body_bytes),
      static_cast<unsigned long long>(response.body_bytes()), static_cast<long long>(request.start_ns),
      static_cast<long long>(end_ns), getpid(), gettid(), response.delivered() ? "true" : "false");
  lines_ += R"({"id":)" + (request.id.empty() ? "null" : quoted(request.id)) + R"(,"method":)" +
            quoted(request.method) + R"(,"path":)" + quoted(request.target) + numbers + "\n";
  if (lines_.size() > 32 * 1024) flush();
}

// One write with O_APPEND: lines of several connections never mix.
void JournalPage::flush() {
  if (descriptor_ >= 0 && !lines_.empty() && write(descriptor_, lines_.data(), lines_.size()) < 0)
    std::perror("tailcap-sample-service: the journal cannot be written");
  lines_.clear();
}

}  // namespace tailcap::samples
