#include "formats/follow/rotated_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <tuple>

#include "formats/store/rotation.h"

namespace tailcap::formats {
namespace {

constexpr std::string_view kPartial = ".partial";

// 0: it is no file of the recording.
std::uint64_t number_of(std::string_view path, std::string_view name) {
  const std::size_t dash = name.rfind('-');
  std::uint64_t number = 0;
  if (dash == name.npos) return 0;
  std::from_chars(name.data() + dash + 1, name.data() + name.size(), number);
  return number != 0 && store::Rotation::file_name(path, number) == name ? number : 0;
}

}  // namespace

std::vector<RotatedFile> rotated_files(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::vector<RotatedFile> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(parent.empty() ? "." : parent, error)) {
    const std::string file = (parent / entry.path().filename()).string();
    std::string_view name = file;
    const bool partial = name.ends_with(kPartial);
    if (partial) name.remove_suffix(kPartial.size());
    if (const std::uint64_t number = number_of(path, name); number != 0) out.push_back({number, file, partial});
  }
  std::ranges::sort(out, {}, [](const RotatedFile& f) { return std::tuple(f.number, f.partial); });
  return out;
}

bool is_being_written(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(fd);
  return held;
}

}  // namespace tailcap::formats
