#include "analyze/cli/output/output_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <span>
#include <stdexcept>
#include <system_error>

#include "formats/block.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

using formats::printable;

// A capture begins with a block. One whose first block is damaged has another soon.
constexpr std::size_t kCaptureSearch = 64u << 10;

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), "cannot write " + printable(path));
}
[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw std::runtime_error("cannot write " + printable(path) + ": " + why);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

bool write_all(int file, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = write(file, content.data(), content.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) content.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// /dev/stdout, /dev/fd/63, /proc/self/fd/1: what the shell opened for us.
std::optional<int> own_descriptor(std::string_view path) {
  if (path == "/dev/stdout") return STDOUT_FILENO;
  if (path == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (!path.starts_with(folder)) continue;
    int number = -1;
    const auto [end, error] = std::from_chars(path.data() + folder.size(), path.data() + path.size(), number);
    if (error == std::errc{} && end == path.data() + path.size() && number >= 0) return number;
  }
  return std::nullopt;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat x, y;
  return stat(a.c_str(), &x) == 0 && stat(b.c_str(), &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool is_capture(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  std::array<std::byte, kCaptureSearch> bytes;
  const ssize_t n = file.get() < 0 ? -1 : pread(file.get(), bytes.data(), bytes.size(), 0);
  if (n <= 0) return false;
  const auto start = std::span(bytes).first(static_cast<std::size_t>(n));
  return formats::find_header(start) < start.size();
}

void write_device(const std::string& path, std::string_view content, const struct stat& found) {
  if (found.st_uid != 0 && found.st_uid != geteuid()) refuse(path, "it belongs to another user. Name another file.");
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY));
  struct stat opened;
  if (file.get() < 0 || fstat(file.get(), &opened) != 0) fail(path);
  if (opened.st_dev != found.st_dev || opened.st_ino != found.st_ino)
    refuse(path, "it was replaced meanwhile. Name another file.");
  if (!write_all(file.get(), content)) fail(path);
}

// A new name in the folder that cannot have been guessed. The mask of the process applies to `mode`.
int create(int folder, std::string& name, mode_t mode) {
  while (true) {
    std::uint64_t number;
    if (getrandom(&number, sizeof number, 0) != sizeof number) return -1;
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
    name = std::string(".tailcap-") + text;
    const int file = openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (file >= 0 || errno != EEXIST) return file;
  }
}

void replace(const std::string& path, std::string_view content, mode_t mode) {
  const std::filesystem::path parts(path);
  const std::string parent = parts.has_parent_path() ? parts.parent_path().string() : ".";
  const Descriptor folder(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) fail(path);
  std::string partial;
  const Descriptor file(create(folder.get(), partial, mode));
  if (file.get() < 0) fail(path);
  if (write_all(file.get(), content) &&
      renameat(folder.get(), partial.c_str(), folder.get(), parts.filename().c_str()) == 0)
    return;
  const int error = errno;
  unlinkat(folder.get(), partial.c_str(), 0);
  errno = error;
  fail(path);
}

}  // namespace

void write_file(const std::string& path, std::string_view content, const std::string& capture) {
  if (path.empty() || path == "-") {
    if (std::fwrite(content.data(), 1, content.size(), stdout) != content.size()) fail("standard output");
    return;
  }
  if (const auto descriptor = own_descriptor(path)) {
    std::fflush(stdout);
    if (!write_all(*descriptor, content)) fail(path);
    return;
  }
  struct stat status;
  const bool exists = lstat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail(path);
  if (exists && S_ISDIR(status.st_mode)) refuse(path, "it is a directory. Name a file in it.");
  if (exists && S_ISLNK(status.st_mode)) refuse(path, "it is a symbolic link. Name the file itself.");
  if (exists && (S_ISCHR(status.st_mode) || S_ISFIFO(status.st_mode))) return write_device(path, content, status);
  if (exists && !S_ISREG(status.st_mode)) refuse(path, "it is not a regular file. Name another file.");
  if (same_file(path, capture))
    throw std::runtime_error("not writing over the capture itself: " + printable(path) + ". Name another file.");
  if (exists && is_capture(path)) refuse(path, "it is a capture. Name another file, or remove it first.");
  const std::string partial = path + ".partial";
  if (same_file(partial, capture) || is_capture(partial))
    refuse(path, "the recording in " + printable(partial) + " will take that name. Name another file.");
  struct stat read;
  replace(path, content, stat(capture.c_str(), &read) == 0 ? read.st_mode & 0666 : 0600);
}

}  // namespace tailcap::cli
