#include "analyze/cli/output/child.h"

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

[[noreturn]] void failed() { throw std::system_error(errno, std::generic_category(), "cannot start a process"); }

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

ChildAnswer run_child(const std::function<int()>& become, std::size_t most) {
  Pipe out, messages;
  const pid_t child = fork();
  if (child < 0) failed();
  if (child == 0) {
    dup2(out.ends[1], STDOUT_FILENO);
    dup2(messages.ends[1], STDERR_FILENO);
    formats::lift_memory_limit();
    _exit(become());
  }
  out.close_end(1);
  messages.close_end(1);
  ChildAnswer answer;
  std::size_t ignored = 0;
  std::array<pollfd, 2> from = {pollfd{out.ends[0], POLLIN, 0}, pollfd{messages.ends[0], POLLIN, 0}};
  while (from[0].fd >= 0 || from[1].fd >= 0) {
    if (poll(from.data(), from.size(), -1) < 0) {
      if (errno == EINTR) continue;
      failed();
    }
    if (from[0].fd >= 0 && from[0].revents != 0 && !take_from(from[0].fd, answer.text, most, answer.left_out))
      from[0].fd = -1;
    if (from[1].fd >= 0 && from[1].revents != 0 && !take_from(from[1].fd, answer.messages, kMostMessages, ignored))
      from[1].fd = -1;
  }
  answer.code = exit_code_of(child);
  if (answer.left_out > 0) {
    const std::size_t line = answer.text.rfind('\n');
    const std::size_t kept = line == std::string::npos ? 0 : line + 1;
    answer.left_out += answer.text.size() - kept;
    answer.text.resize(kept);
  }
  return answer;
}

int exit_code_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace tailcap::cli
