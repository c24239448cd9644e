#include "analyze/cli/output/scratch.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "analyze/pack/archive.h"

namespace tailcap::cli {
namespace {

constexpr std::uint64_t kMaxCapture = 4ull << 30;

}  // namespace

Scratch::~Scratch() {
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string Scratch::file(const std::string& name) {
  if (folder_.empty()) {
    const char* temporary = std::getenv("TMPDIR");
    std::string folder = std::string(temporary && *temporary ? temporary : "/tmp") + "/tailcap-XXXXXX";
    if (mkdtemp(folder.data()) == nullptr)
      throw std::runtime_error(std::string("cannot make a folder for temporary files: ") + std::strerror(errno));
    folder_ = std::move(folder);
    unfinished_.emplace(folder_);
  }
  return folder_ + "/" + name;
}

namespace {

std::map<std::string, std::string>& given() {
  static std::map<std::string, std::string> paths;
  return paths;
}

// Files that a command writes are no captures that it reads. read_one: of IN OUT, IN is among the words before.
bool is_written(std::string_view command, std::string_view before, bool read_one) {
  if (before == "-o" || before == "--output" || before == "--save") return true;
  return read_one && before != "--verify" && before != "--against" &&
         (command == "cut" || command == "redact" || command == "recompress");
}

bool is_capture_name(std::string_view word) { return word.ends_with(".tcap") || word.ends_with(".zip"); }

}  // namespace

std::string given_path(const std::string& path) {
  const auto at = given().find(path);
  return at == given().end() ? path : at->second;
}

void unpack_words(int argc, char** argv, Scratch& scratch) {
  static std::deque<std::string> paths;  // argv points into it
  for (int i = 1; i < argc; ++i) {
    if (is_written(argv[0], argv[i - 1], std::any_of(argv + 1, argv + i, is_capture_name))) continue;
    std::error_code error;
    // By its name first: a capture is not opened once more only to see that it is none.
    if (!std::string_view(argv[i]).ends_with(".zip") || !std::filesystem::is_regular_file(argv[i], error) ||
        !pack::is_archive(argv[i]))
      continue;
    // With the name of the pack: reports say which file they are of.
    const std::filesystem::path folder = scratch.file(std::to_string(i));
    std::filesystem::create_directory(folder);
    paths.push_back((folder / std::filesystem::path(argv[i]).filename()).string());
    given()[paths.back()] = argv[i];
    pack::extract_capture(argv[i], paths.back(), kMaxCapture);
    argv[i] = paths.back().data();
  }
}

}  // namespace tailcap::cli
