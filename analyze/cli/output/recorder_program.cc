#include "analyze/cli/output/recorder_program.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "analyze/cli/output/child.h"
#include "analyze/cli/output/complain.h"

namespace tailcap::cli {
namespace {

constexpr std::size_t kMostText = 1 << 16;

}  // namespace

int execute_recorder(std::vector<std::string> words) {
  std::string program = "tailcap-record";
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    // Installed side by side; in the build tree the recorder is in the neighbouring folder.
    for (const auto& path : {self.parent_path() / program, self.parent_path().parent_path() / "capture" / program}) {
      if (std::filesystem::exists(path, error)) execv(path.c_str(), arguments.data());
    }
  }
  execvp(program.c_str(), arguments.data());
  complain("", std::string("cannot run tailcap-record: ") + std::strerror(errno) +
                   ". It is installed beside tailcap; the analyser alone cannot record.");
  return 1;
}

RecorderAnswer ask_recorder(const std::vector<std::string>& words) {
  ChildAnswer answer = run_child(
      [&] {
        dup2(STDOUT_FILENO, STDERR_FILENO);
        return execute_recorder(words);
      },
      kMostText);
  while (answer.text.ends_with('\n')) answer.text.pop_back();
  return {answer.code, std::move(answer.text)};
}

}  // namespace tailcap::cli
