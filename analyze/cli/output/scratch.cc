#include "analyze/cli/output/scratch.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <stdexcept>
#include <string_view>

#include "analyze/pack/archive.h"

namespace tailcap::cli {
namespace {

constexpr std::uint64_t kMaxCapture = 4ull << 30;

}  // namespace

Scratch::Scratch() {
  const char* temporary = std::getenv("TMPDIR");
  folder_ = std::string(temporary && *temporary ? temporary : "/tmp") + "/tailcap-XXXXXX";
  if (mkdtemp(folder_.data()) == nullptr)
    throw std::runtime_error(std::string("cannot make a folder for temporary files: ") + std::strerror(errno));
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void unpack_words(int argc, char** argv, const Scratch& scratch) {
  static std::deque<std::string> paths;  // argv points into it
  for (int i = 1; i < argc; ++i) {
    std::error_code error;
    // By its name first: a capture is not opened once more only to see that it is none.
    if (!std::string_view(argv[i]).ends_with(".zip") || !std::filesystem::is_regular_file(argv[i], error) ||
        !pack::is_archive(argv[i]))
      continue;
    paths.push_back(scratch.file(std::to_string(i) + "-" + std::filesystem::path(argv[i]).stem().string() + ".tcap"));
    pack::extract_capture(argv[i], paths.back(), kMaxCapture);
    argv[i] = paths.back().data();
  }
}

}  // namespace tailcap::cli
