#include "capture/record/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace tailcap::capture {

using namespace std::chrono_literals;

namespace {

constexpr auto kEndPatience = 5s;  // for a server that ends its connections
constexpr auto kStep = 5ms;

// The step that failed in the child before it ran the command.
struct Failure {
  int error;
  bool becoming;  // the user
};

}  // namespace

Child::Child(const std::vector<std::string>& command, const std::optional<Account>& account, bool to_stderr)
    : name_(command.front()) {
  int go[2], failure[2];
  if (pipe2(go, O_CLOEXEC) != 0 || pipe2(failure, O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot prepare to start '" + name_ + "'");
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t recorder = getpid();
  pid_ = fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "cannot start '" + name_ + "'");
  if (pid_ == 0) {
    close(go[1]);
    char byte = 0;
    if (read(go[0], &byte, 1) != 1) _exit(127);  // the recorder gave up
    if (to_stderr) dup2(STDERR_FILENO, STDOUT_FILENO);
    ::signal(SIGPIPE, SIG_DFL);  // the recorder ignores it; what it handles, exec sets back
    Failure failed{0, true};
    if (!account || become(*account)) {
      failed.becoming = false;
      // Where the recorder is killed. Not before: becoming a user forgets it.
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      if (getppid() != recorder) _exit(127);
      execvp(arguments[0], arguments.data());
    }
    failed.error = errno;
    (void)!write(failure[1], &failed, sizeof failed);
    _exit(127);
  }
  close(go[0]);
  close(failure[1]);
  go_ = go[1];
  failure_ = failure[0];
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
}

Child::~Child() {
  if (go_ >= 0) close(go_);
  if (failure_ >= 0) close(failure_);
  if (pidfd_ >= 0) close(pidfd_);
  if (!released_)
    waitpid(pid_, nullptr, 0);  // it exits by itself: the pipe is closed
  else
    end();
}

// Its number is its own as long as it has not been waited for.
void Child::end() {
  if (exited()) return;
  // Without the right to signal another user's process: the kernel does it when this one has ended.
  if (::kill(pid_, SIGTERM) != 0) return;
  for (auto waited = 0ms; waited < kEndPatience; waited += kStep) {
    if (exited()) return;
    std::this_thread::sleep_for(kStep);
  }
  ::kill(pid_, SIGKILL);
  if (waitpid(pid_, &status_, 0) == pid_) exited_ = true;
}

void Child::release() {
  released_ = true;
  (void)!write(go_, "g", 1);
  close(go_);
  go_ = -1;
  Failure failed{};
  ssize_t got;
  while ((got = read(failure_, &failed, sizeof failed)) < 0 && errno == EINTR) {
  }
  if (got == sizeof failed) {
    waitpid(pid_, nullptr, 0);
    exited_ = true;
    throw std::system_error(
        failed.error, std::generic_category(),
        failed.becoming ? "cannot become the user given by --user" : "cannot execute '" + name_ + "'");
  }
}

bool Child::exited() {
  if (exited_) return true;
  const pid_t ended = waitpid(pid_, &status_, WNOHANG);
  exited_ = ended == pid_ || (ended < 0 && errno == ECHILD);
  return exited_;
}

}  // namespace tailcap::capture
