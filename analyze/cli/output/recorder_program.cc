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

// Becomes a program that is installed beside this one; in the build tree it is in the folder `built` from there.
// Returns where it cannot be run, with errno.
void execute_beside(std::string program, const std::filesystem::path& built, std::vector<std::string>& words) {
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    for (const auto& path : {self.parent_path() / program, self.parent_path() / built / program}) {
      if (std::filesystem::exists(path, error)) execv(path.c_str(), arguments.data());
    }
  }
  execvp(program.c_str(), arguments.data());
}

}  // namespace

int execute_recorder(std::vector<std::string> words) {
  // In the build tree it is in the neighbouring folder.
  execute_beside("tailcap-record", "../capture", words);
  complain("", std::string("cannot run tailcap-record: ") + std::strerror(errno) +
                   ". It is installed beside tailcap; the analyser alone cannot record.");
  return 1;
}

int execute_gate(std::vector<std::string> words) {
  execute_beside("tailcap-gate", "../../../scripts", words);
  complain("gate", std::string("cannot run tailcap-gate: ") + std::strerror(errno) +
                       ". It is installed beside tailcap, and needs Python 3.");
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
