#include "analyze/cli/output/recorder_program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "analyze/cli/output/complain.h"
#include "formats/bounds/process_bounds.h"

namespace tailcap::cli {
namespace {

constexpr std::size_t kMostText = 1 << 16;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

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
  int ends[2];
  if (pipe(ends) != 0) fail("cannot run tailcap-record");
  const pid_t child = fork();
  if (child < 0) fail("cannot run tailcap-record");
  if (child == 0) {
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    formats::lift_memory_limit();
    _exit(execute_recorder(words));
  }
  close(ends[1]);
  RecorderAnswer out;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t n = read(ends[0], piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (out.text.size() < kMostText) out.text.append(piece.data(), static_cast<std::size_t>(n));
  }
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  while (out.text.ends_with('\n')) out.text.pop_back();
  return out;
}

}  // namespace tailcap::cli
