#include "capture/control/folder_keeper.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "capture/control/control.h"
#include "capture/host/kernel.h"

namespace tailcap::capture {

namespace {

constexpr int kSocket = 0, kFolder = 1;  // descriptors of the keeper
constexpr char kGiveName = 'n', kReplace = 'r', kRemoveControl = 'c', kRemovePartial = 'p';

std::string folder_of(const std::string& file) {
  const std::filesystem::path path(file);
  return path.has_parent_path() ? path.parent_path().string() : ".";
}

bool keep_only_the_right_to_write() {
  __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> sets{};
  sets[0].permitted = sets[0].effective = 1u << CAP_DAC_OVERRIDE;
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && syscall(SYS_capset, &head, sets.data()) == 0 &&
         prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

[[noreturn]] void serve(const std::string& name) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_IGN);  // a Ctrl-C is for the recorder
  prctl(PR_SET_NAME, "tailcap-folder");
  if (!keep_only_the_right_to_write()) _exit(1);
  const std::string partial = name + ".partial", control = name + std::string(kControlSuffix);
  char what = 0;
  while (recv(kSocket, &what, 1, 0) == 1) {
    int result = -1;
    errno = EINVAL;
    if (what == kRemoveControl) result = unlinkat(kFolder, control.c_str(), 0);
    if (what == kRemovePartial) result = unlinkat(kFolder, partial.c_str(), 0);
    if (what == kGiveName || what == kReplace)
      result = renameat2(kFolder, partial.c_str(), kFolder, name.c_str(), what == kReplace ? 0 : RENAME_NOREPLACE);
    const int error = result == 0 ? 0 : errno;
    if (send(kSocket, &error, sizeof error, MSG_NOSIGNAL) != sizeof error) break;
  }
  _exit(0);
}

}  // namespace

bool FolderKeeper::needed_for(const std::string& file) {
  struct stat folder {};
  if (stat(folder_of(file).c_str(), &folder) != 0) return false;
  const bool own = folder.st_uid == geteuid() && (folder.st_mode & S_IWUSR) && (folder.st_mode & S_IXUSR);
  return !own && capable(CAP_DAC_OVERRIDE);
}

FolderKeeper::FolderKeeper(const std::string& file) {
  const auto fail = [](int error) {
    throw std::system_error(error, std::generic_category(), "cannot prepare to name the capture");
  };
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) fail(errno);
  const int folder = open(folder_of(file).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  pid_ = folder < 0 ? -1 : fork();
  if (pid_ == 0) {
    // Closes all of the recorder's descriptors: another process may be waiting for their other ends to close.
    if (dup2(ends[1], kSocket) != kSocket || dup2(folder, kFolder) != kFolder || close_range(kFolder + 1, ~0u, 0) != 0)
      _exit(1);
    serve(std::filesystem::path(file).filename());
  }
  const int error = errno;
  close(ends[1]);
  if (folder >= 0) close(folder);
  socket_ = ends[0];
  if (pid_ > 0) return;
  close(socket_);
  fail(error);
}

FolderKeeper::~FolderKeeper() {
  close(socket_);
  waitpid(pid_, nullptr, 0);  // it ends: no other process has the socket
}

int FolderKeeper::order(char what) {
  int error = 0;
  if (send(socket_, &what, 1, MSG_NOSIGNAL) != 1) return errno;
  ssize_t got;
  while ((got = recv(socket_, &error, sizeof error, 0)) < 0 && errno == EINTR) {
  }
  return got == sizeof error ? error : EPIPE;
}

int FolderKeeper::give_name(bool replace) { return order(replace ? kReplace : kGiveName); }
int FolderKeeper::remove_control() { return order(kRemoveControl); }
int FolderKeeper::remove_partial() { return order(kRemovePartial); }

}  // namespace tailcap::capture
