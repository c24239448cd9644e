#include "analyze/commands/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace tailcap::commands {
namespace {

[[noreturn]] void fail(const std::string& path) { throw std::system_error(errno, std::generic_category(), "cannot write " + path); }

}  // namespace

void write_file(const std::string& path, std::string_view content, const std::string& capture) {
  if (path == "-") {
    if (std::fwrite(content.data(), 1, content.size(), stdout) != content.size()) fail("standard output");
    return;
  }
  std::error_code ignored;
  if (std::filesystem::equivalent(path, capture, ignored))
    throw std::runtime_error("not writing over the capture itself: " + path + ". Name another file.");
  if (std::filesystem::is_directory(path, ignored)) throw std::runtime_error("cannot write " + path + ": it is a directory. Name a file in it.");
  // Devices and pipes cannot be replaced by renaming.
  const bool replace = !std::filesystem::exists(path, ignored) || std::filesystem::is_regular_file(path, ignored);
  const std::string partial = replace ? path + ".partial" : path;
  const int file = open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) fail(path);
  while (!content.empty()) {
    const ssize_t n = write(file, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int error = errno;
      close(file);
      if (replace) unlink(partial.c_str());
      errno = error;
      fail(path);
    }
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  if (close(file) != 0) fail(path);
  if (replace && rename(partial.c_str(), path.c_str()) != 0) fail(path);
}

}  // namespace tailcap::commands
