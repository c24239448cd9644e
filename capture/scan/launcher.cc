#include "capture/scan/launcher.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "ground/scheduling.h"

namespace tailcap::capture::scan {

namespace {

constexpr int kNice = 5;  // beside the recorder; a file is read while the target works, for up to seconds

// With the recorder's standard streams, a hanging child would keep their readers waiting.
void forget_descriptors(int kept) {
  const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int stream = 0; stream < 3; stream++) {
    if (nothing < 0 || dup2(nothing, stream) < 0) close(stream);
  }
  if (kept > 3) syscall(SYS_close_range, 3, kept - 1, 0);
  syscall(SYS_close_range, kept + 1, ~0u, 0);
}

[[noreturn]] void run(const Launcher::Work& work, int given, pid_t parent) {
  const int socket = fcntl(given, F_DUPFD_CLOEXEC, 3);  // standard streams may be closed
  if (socket < 0) _exit(1);
  forget_descriptors(socket);
  prctl(PR_SET_NAME, work.name);
  ground::become_batch_task();
  (void)!nice(kNice);
  // A terminal's signals are for the recorder, which still needs this process to end its recording well.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  ::signal(SIGCHLD, SIG_IGN);  // and no child is waited for
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!work.prepare()) _exit(1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // after prepare(): a change of identity clears it
  if (getppid() != parent) _exit(1);
  const pid_t self = getpid();
  for (Message message; receive_message(socket, Take::descriptors, 1, message) == Received::message;) {
    if (message.descriptors.size() != 1) continue;
    const int end = message.descriptors[0].get();
    if (fork() != 0) continue;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) _exit(1);
    close(socket);
    work.serve(end);
    _exit(0);
  }
  _exit(0);
}

}  // namespace

Launcher::Launcher(const Work& work) {
  auto ends = connected_pair();
  if (!ends)
    throw std::system_error(errno, std::generic_category(), "cannot prepare to read files in a process of its own");
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process to read files in");
  if (child == 0) run(work, ends->second.release(), parent);
  pid_ = static_cast<std::uint32_t>(child);
  socket_ = std::move(ends->first);
}

Descriptor Launcher::start() const {
  auto ends = connected_pair();
  if (!ends) return Descriptor();
  const std::array<int, 1> end{ends->second.get()};
  return send_message(socket_.get(), {}, end) ? std::move(ends->first) : Descriptor();
}

}  // namespace tailcap::capture::scan
