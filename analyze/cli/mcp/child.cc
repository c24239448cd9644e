#include "analyze/cli/mcp/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "formats/bounds/process_bounds.h"

namespace tailcap::cli {
namespace {

constexpr std::size_t kMostMessages = 2000;

[[noreturn]] void failed() { throw std::system_error(errno, std::generic_category(), "cannot run tailcap"); }

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() {
    if (pipe2(ends, O_CLOEXEC) != 0) failed();
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(int which) {
    close(ends[which]);
    ends[which] = -1;
  }
};

[[noreturn]] void become(const std::vector<std::string>& words, const Pipe& out, const Pipe& messages) {
  std::string program = "tailcap";
  std::vector<std::string> copies = words;
  std::vector<char*> arguments = {program.data()};
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(out.ends[1], STDOUT_FILENO);
  dup2(messages.ends[1], STDERR_FILENO);
  formats::lift_memory_limit();
  execv("/proc/self/exe", arguments.data());
  _exit(1);
}

// False: there is no more.
bool take_from(int from, std::string& into, std::size_t most, std::size_t& left_out) {
  std::array<char, 4096> piece;
  const ssize_t n = read(from, piece.data(), piece.size());
  if (n < 0 && errno == EINTR) return true;
  if (n <= 0) return false;
  const std::size_t kept = std::min(static_cast<std::size_t>(n), most - std::min(most, into.size()));
  into.append(piece.data(), kept);
  left_out += static_cast<std::size_t>(n) - kept;
  return true;
}

}  // namespace

ChildAnswer run_child(const std::vector<std::string>& words, std::size_t most) {
  Pipe out, messages;
  const pid_t child = fork();
  if (child < 0) failed();
  if (child == 0) become(words, out, messages);
  out.close_end(1);
  messages.close_end(1);
  ChildAnswer answer;
  std::size_t ignored = 0;
  std::array<pollfd, 2> from = {pollfd{out.ends[0], POLLIN, 0}, pollfd{messages.ends[0], POLLIN, 0}};
  while (from[0].fd >= 0 || from[1].fd >= 0) {
    if (poll(from.data(), from.size(), -1) < 0 && errno != EINTR) failed();
    if (from[0].fd >= 0 && from[0].revents != 0 && !take_from(from[0].fd, answer.text, most, answer.left_out))
      from[0].fd = -1;
    if (from[1].fd >= 0 && from[1].revents != 0 && !take_from(from[1].fd, answer.messages, kMostMessages, ignored))
      from[1].fd = -1;
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
  if (answer.left_out > 0) {
    const std::size_t line = answer.text.rfind('\n');
    const std::size_t kept = line == std::string::npos ? 0 : line + 1;
    answer.left_out += answer.text.size() - kept;
    answer.text.resize(kept);
  }
  return answer;
}

}  // namespace tailcap::cli
