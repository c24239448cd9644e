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

#include "analyze/cli/output/scratch.h"
#include "analyze/pack/archive.h"
#include "analyze/report/words/number.h"
#include "formats/block.h"
#include "formats/bounds/unfinished.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

using formats::printable;

// A capture begins with a block. One whose first block is damaged has another soon.
constexpr std::size_t kCaptureSearch = 64u << 10;

int unsaid = 0;  // how many Unsaid there are

[[noreturn]] void fail_output(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), "cannot write " + printable(path));
}
[[noreturn]] void refuse_output(const std::string& path, const std::string& why) {
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

int open_device(const std::string& path, const struct stat& found) {
  if (found.st_uid != 0 && found.st_uid != geteuid())
    refuse_output(path, "it belongs to another user. Name another file.");
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);
  struct stat opened;
  if (file < 0) fail_output(path);
  if (fstat(file, &opened) != 0 || opened.st_dev != found.st_dev || opened.st_ino != found.st_ino) {
    close(file);
    refuse_output(path, "it was replaced meanwhile. Name another file.");
  }
  return file;
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

// Whether this is a regular file that may be replaced, or nothing yet. A device or pipe: false, and `found` is it.
bool replaceable(const std::string& path, const std::string& capture, bool packs, struct stat& found) {
  const bool exists = lstat(path.c_str(), &found) == 0;
  if (!exists && errno != ENOENT) fail_output(path);
  if (exists && S_ISDIR(found.st_mode)) refuse_output(path, "it is a directory. Name a file in it.");
  if (exists && S_ISLNK(found.st_mode)) refuse_output(path, "it is a symbolic link. Name the file itself.");
  if (exists && (S_ISCHR(found.st_mode) || S_ISFIFO(found.st_mode))) return false;
  if (exists && !S_ISREG(found.st_mode)) refuse_output(path, "it is not a regular file. Name another file.");
  if (same_file(path, capture))
    throw std::runtime_error("not writing over the capture itself: " + printable(path) + ". Name another file.");
  if (exists && !(packs && pack::is_archive(path)) && is_capture(path))
    refuse_output(path, "it is a capture. Name another file, or remove it first.");
  const std::string partial = path + ".partial";
  if (same_file(partial, capture) || is_capture(partial))
    refuse_output(path, "the recording in " + printable(partial) + " will take that name. Name another file.");
  return true;
}

}  // namespace

struct OutputFile::Impl {
  std::string path;
  std::optional<Descriptor> folder, own;
  std::string partial;  // in the folder
  int file = -1;
  std::optional<formats::Unfinished> unfinished;
};

OutputFile::OutputFile(const std::string& path, const std::string& read_from, Over over)
    : impl_(std::make_unique<Impl>()) {
  const std::string capture = given_path(read_from);
  impl_->path = path;
  if (path.empty() || path == "-") {
    impl_->path = "standard output";
    return;
  }
  if (const auto descriptor = own_descriptor(path)) {
    std::fflush(stdout);
    impl_->file = *descriptor;
    return;
  }
  struct stat status;
  if (!replaceable(path, capture, over == Over::packs, status)) {
    impl_->own.emplace(impl_->file = open_device(path, status));
    return;
  }
  const std::filesystem::path parts(path);
  const std::string parent = parts.has_parent_path() ? parts.parent_path().string() : ".";
  impl_->folder.emplace(open(parent.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (impl_->folder->get() < 0) fail_output(path);
  struct stat read;
  const mode_t mode = stat(capture.c_str(), &read) == 0 ? read.st_mode & 0666 : 0600;
  impl_->own.emplace(impl_->file = create(impl_->folder->get(), impl_->partial, mode));
  if (impl_->file < 0) {
    impl_->partial.clear();
    fail_output(path);
  }
  impl_->unfinished.emplace(partial());
}

OutputFile::~OutputFile() {
  if (!impl_->partial.empty()) unlinkat(impl_->folder->get(), impl_->partial.c_str(), 0);
}

void OutputFile::write(std::string_view content) {
  if (impl_->file < 0 ? std::fwrite(content.data(), 1, content.size(), stdout) != content.size()
                      : !write_all(impl_->file, content))
    fail_output(impl_->path);
}

std::string OutputFile::partial() const {
  if (impl_->partial.empty()) return {};
  return (std::filesystem::path(impl_->path).parent_path() / impl_->partial).string();
}

void OutputFile::finish() {
  if (impl_->partial.empty()) return;
  const std::string name = std::filesystem::path(impl_->path).filename().string();
  if (renameat(impl_->folder->get(), impl_->partial.c_str(), impl_->folder->get(), name.c_str()) != 0)
    fail_output(impl_->path);
  impl_->unfinished.reset();
  impl_->partial.clear();
}

Unsaid::Unsaid() { ++unsaid; }
Unsaid::~Unsaid() { --unsaid; }

void say_written(const std::string& path) {
  if (unsaid > 0 || path.empty() || path == "-" || isatty(STDERR_FILENO) == 0) return;
  struct stat file;
  if (stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return;
  std::fprintf(stderr, "%s: %s%s\n", printable(path).c_str(),
               report::bytes_text(static_cast<std::uint64_t>(file.st_size)).c_str(),
               path.ends_with(".html") ? "; open it in a browser" : "");
}

void write_file(const std::string& path, std::string_view content, const std::string& capture, Several several) {
  OutputFile file(path, capture);
  file.write(content);
  file.finish();
  if (several == Several::no) say_written(path);
}

}  // namespace tailcap::cli
