#include "analyze/logs/files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "formats/printable.h"

namespace tailcap::logs {
namespace {

using formats::printable;

constexpr std::size_t kContainerId = 64;

// /var/lib/docker/containers/<id>/<id>-json.log
std::string container_in(std::string_view path) {
  std::size_t digits = 0;
  for (std::size_t i = 0; i <= path.size(); ++i) {
    const char c = i < path.size() ? path[i] : '/';
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')) {
      ++digits;
      continue;
    }
    if (digits == kContainerId) return std::string(path.substr(i - kContainerId, kContainerId));
    digits = 0;
  }
  return {};
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

std::vector<NamedFile> files_of(const std::vector<std::string>& patterns) {
  std::vector<NamedFile> out;
  std::set<std::string> known;
  for (const std::string& given : patterns) {
    const std::size_t equals = given.find('=');
    const bool named = equals != given.npos && equals > 0 && given.find('/') > equals;
    const std::string service = named ? given.substr(0, equals) : "",
                      pattern = named ? given.substr(equals + 1) : given;
    glob_t found{};
    const int result = ::glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found);
    std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + (result == 0 ? found.gl_pathc : 0));
    ::globfree(&found);
    if (paths.empty()) throw std::runtime_error("no log file matches " + printable(pattern));
    for (std::string& path : paths) {
      if (!known.insert(path).second) continue;
      if (out.size() == kMostFiles)
        throw std::runtime_error("more than " + std::to_string(kMostFiles) + " log files match " + printable(pattern));
      std::string container = container_in(path);
      out.push_back({std::move(path), service, std::move(container)});
    }
  }
  return out;
}

FileText text_of(const std::string& path, std::size_t most) {
  const auto failed = [&] {
    return std::system_error(errno, std::generic_category(), "cannot read " + printable(path));
  };
  // Without waiting: a pipe has no end.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) throw failed();
  if (!S_ISREG(status.st_mode)) throw std::runtime_error("cannot read " + printable(path) + ": it is no regular file");
  const auto size = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  FileText out;
  out.text.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size, most)));
  std::size_t at = 0;
  while (at < out.text.size()) {
    const ssize_t n = ::read(file.get(), out.text.data() + at, out.text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw failed();
    if (n == 0) break;
    at += static_cast<std::size_t>(n);
  }
  out.text.resize(at);
  out.left_out = size > at ? size - at : 0;
  return out;
}

}  // namespace tailcap::logs
