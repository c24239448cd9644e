#include "analyze/cli/keep/day_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>
#include <system_error>
#include <utility>

#include "analyze/cli/output/output_file.h"
#include "analyze/report/summaries/words.h"
#include "analyze/summaries/by_day.h"
#include "analyze/summaries/merge.h"
#include "formats/summary/summary_file.h"

namespace tailcap::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostRecordings = 1'000;  // whose files are counted; beyond, those of the least ids go
constexpr std::uint64_t kMostCountBytes = 1u << 20;
constexpr const char* kCounts = "files-added";
constexpr std::string_view kDayName = "0000-00-00.tcs";

// Others wait for it while it lives.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder) : fd_(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ < 0 || flock(fd_, LOCK_EX) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot use the folder " + report::printable(folder));
  }
  ~FolderLock() { close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  const int fd_;
};

bool is_day_name(std::string_view name) {
  return name.size() == kDayName.size() && std::ranges::equal(name, kDayName, [](char c, char like) {
           return like == '0' ? c >= '0' && c <= '9' : c == like;
         });
}

std::string name_of_day(std::int64_t day) { return report::day_text(day) + ".tcs"; }

// "ID NUMBER" a line. What is no such line is left out.
std::map<std::string, std::uint64_t> read_counts(const std::string& path) {
  std::map<std::string, std::uint64_t> out;
  std::error_code error;
  if (!fs::is_regular_file(path, error) || fs::file_size(path, error) > kMostCountBytes) return out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line) && out.size() < kMostRecordings;) {
    const std::size_t blank = line.find(' ');
    std::uint64_t number = 0;
    if (blank == line.npos) continue;
    const auto [end, failed] = std::from_chars(line.data() + blank + 1, line.data() + line.size(), number);
    if (failed == std::errc() && end == line.data() + line.size()) out[line.substr(0, blank)] = number;
  }
  return out;
}

bool has_all_of(const formats::Summary& sum, const formats::Summary& part) {
  return std::ranges::all_of(part.captures, [&](const auto& capture) { return sum.captures.contains(capture); });
}

}  // namespace

DayFiles::DayFiles(std::string folder, DayBounds bounds) : folder_(std::move(folder)), bounds_(bounds) {
  std::error_code error;
  fs::create_directories(folder_, error);
  const FolderLock lock(folder_);
}

std::string DayFiles::path_of(const std::string& name) const { return (fs::path(folder_) / name).string(); }

std::vector<std::string> DayFiles::names() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error))
    if (std::string name = entry.path().filename().string(); is_day_name(name)) out.push_back(std::move(name));
  std::ranges::sort(out);
  return out;
}

bool DayFiles::add(formats::Summary&& part, const std::string& file) const {
  const FolderLock lock(folder_);
  bool added = false;
  for (auto& [day, one] : summaries::by_day(std::move(part))) {
    const std::string path = path_of(name_of_day(day));
    summaries::Merger merger;
    std::error_code error;
    if (fs::exists(path, error)) {
      formats::Summary sum = formats::read_summary(path);
      if (has_all_of(sum, one)) continue;
      merger.add(std::move(sum));
    }
    merger.add(std::move(one));
    write_file(path, formats::encode_summary(merger.finish()), file, Several::yes);
    added = true;
  }
  return added;
}

std::optional<std::int64_t> DayFiles::added_until(const std::string& id, std::int64_t time) const {
  const std::string last = name_of_day(time);
  std::vector<std::string> days = names();
  std::ranges::reverse(days);
  for (const std::string& day : days) {
    if (day > last) continue;
    std::optional<std::int64_t> out;
    for (const formats::SummarisedCapture& c : formats::read_summary(path_of(day)).captures)
      if (c.id == id && c.began < time) out = std::max(out.value_or(c.ended), c.ended);
    if (out) return out;
  }
  return std::nullopt;
}

std::uint64_t DayFiles::files_of(const std::string& id) const {
  const auto counts = read_counts(path_of(kCounts));
  const auto at = counts.find(id);
  return at == counts.end() ? 0 : at->second;
}

void DayFiles::set_files_of(const std::string& id, std::uint64_t number) const {
  const FolderLock lock(folder_);
  auto counts = read_counts(path_of(kCounts));
  while (counts.size() >= kMostRecordings && !counts.contains(id)) counts.erase(counts.begin());
  counts[id] = number;
  std::string text;
  for (const auto& [recording, n] : counts) text += recording + " " + std::to_string(n) + "\n";
  write_file(path_of(kCounts), text, "", Several::yes);
}

std::vector<std::string> DayFiles::remove_oldest() const {
  const FolderLock lock(folder_);
  std::vector<std::string> days = names(), out;
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const std::string& day : days) bytes += fs::file_size(path_of(day), error);
  for (const std::string& day : days) {
    const std::size_t left = days.size() - out.size();
    if (left == 1 || (left <= bounds_.days && bytes <= bounds_.bytes)) break;
    bytes -= std::min<std::uint64_t>(bytes, fs::file_size(path_of(day), error));
    if (!fs::remove(path_of(day), error)) break;
    out.push_back(day);
  }
  return out;
}

}  // namespace tailcap::cli
