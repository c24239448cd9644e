#include "capture/control/ask.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "capture/control/config_text.h"
#include "capture/control/control.h"
#include "capture/host/descriptor.h"
#include "formats/printable.h"

namespace tailcap::capture {

namespace {

constexpr const char* kControlUsage =
    R"(tailcap control speaks to the recorder that is writing FILE, through the socket FILE.control beside it.

usage: tailcap control FILE COMMAND [ARGUMENT]
       tailcap snapshot FILE [OUT]      tailcap status FILE      tailcap stop FILE

Commands
  note KEY=VALUE     remark kept in the file with the time it came, like deploy=v2; `tailcap report` says what each changed
  snapshot [OUT]     of a recorder with --last: writes what it has in memory into a file (default: FILE with the time in its
                     name), and says which when it is whole; the recording goes on. SIGUSR1 does the same
  status             how much it has recorded and lost
  stop               ends the recording, as Ctrl-C does
  share 1/N          of a recorder with --sample-varies or --budget: at most one connection in N is recorded from now on
  reload NEW.toml    options that `tailcap record --config NEW.toml` would have: targets and notes are added to those it has.
                     The rest cannot change while it records; if it differs, nothing is done (docs/record.md)
  stacks on|off      whether stacks of waits and samples are taken from now on

Only the user who records, and root, are listened to.
Exit codes: 0 done, 1 no recorder writes FILE or it could not be done, 2 bad usage.

examples:
  tailcap control slow.tcap note deploy=v2
  tailcap control slow.tcap note config="pool size 20"
  tailcap snapshot flight.tcap
)";

constexpr timeval kAskPatience{5, 0}, kSnapshotPatience{300, 0};  // a large one on a slow disk

int failed(const std::string& why) {
  std::fprintf(stderr, "tailcap control: %s\n", formats::printable_message(why).c_str());
  return 1;
}

int ask(std::string file, const std::string& command) {
  // While recording, the file is FILE.partial.
  constexpr std::string_view kPartial = ".partial";
  if (file.size() > kPartial.size() && file.ends_with(kPartial)) file.resize(file.size() - kPartial.size());
  const std::string path = file + std::string(kControlSuffix);
  const std::string none = "no recorder writes '" + file + "' now: ";
  // Through a descriptor, since the names that connect() takes are short.
  const Descriptor place(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (place.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return failed(none + "there is no '" + path +
                    "'. FILE is what was given to `tailcap record -o`, and only there while it runs.");
    return failed("cannot open '" + path + "': " + std::strerror(errno));
  }
  struct stat kind {};
  if (fstat(place.get(), &kind) != 0 || !S_ISSOCK(kind.st_mode))
    return failed("'" + path + "' is not a recorder's socket. FILE is what was given to `tailcap record -o`.");
  const timeval patience = command.starts_with("snapshot") ? kSnapshotPatience : kAskPatience;
  const Descriptor speaker(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d", place.get());
  for (const int limit : {SO_SNDTIMEO, SO_RCVTIMEO}) {
    if (setsockopt(speaker.get(), SOL_SOCKET, limit, &patience, sizeof patience) != 0)
      return failed(std::string("cannot speak to a recorder: ") + std::strerror(errno));
  }
  if (connect(speaker.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ECONNREFUSED) {
      const bool removed = unlink(path.c_str()) == 0;
      return failed(none + "the recorder that made '" + path + "' was killed." +
                    (removed ? " The socket was removed." : ""));
    }
    if (errno == EACCES) return failed("'" + path + "' is another user's: ask as the one who records, or as root.");
    if (errno == EAGAIN)
      return failed("the recorder of '" + file + "' does not answer: too many speak to it. Try again.");
    return failed("cannot speak to the recorder of '" + file + "': " + std::strerror(errno));
  }
  // In a folder of another user, its owner can put a socket of its own there.
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(speaker.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || size != sizeof who ||
      (who.uid != 0 && who.uid != geteuid()))
    return failed("'" + path + "' is not served by a recorder of root's or of yours, but by a process of user " +
                  std::to_string(who.uid) + ". Whose recorder it is can ask it.");
  if (send(speaker.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0)
    return failed("cannot speak to the recorder of '" + file + "': " + std::strerror(errno));
  std::array<char, kCommandBytes + 16> text;
  const ssize_t length = recv(speaker.get(), text.data(), text.size(), 0);
  if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
    return failed("the recorder of '" + file + "' has not answered within " + std::to_string(patience.tv_sec) +
                  " s; whether it has done it is not known.");
  if (length <= 0)
    return failed("the recorder of '" + file + "' ended before it answered; whether it has done it is not known.");
  const std::string_view answer(text.data(), static_cast<std::size_t>(length));
  const auto space = std::min(answer.find(' '), answer.size());
  const std::string_view verdict = answer.substr(0, space);
  const std::string said = formats::printable(answer.substr(std::min(space + 1, answer.size())));
  if (verdict == word_of(Obeyed::done)) return std::printf("%s\n", said.c_str()) < 0;
  failed(said);
  return verdict == word_of(Obeyed::usage) ? 2 : 1;
}

}  // namespace

int run_control(int argc, char** argv) {
  std::string command;
  for (int i = 1; i < argc; i++) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return std::fputs(kControlUsage, stdout) < 0;
    if (i >= 2) command += (i > 2 ? " " : "") + std::string(argument);
  }
  if (argc < 3 || std::string_view(argv[1]).empty() || argv[1][0] == '-') {
    std::fprintf(stderr,
                 "tailcap control: give FILE and a command, like `tailcap control slow.tcap note deploy=v2`. `tailcap "
                 "control --help` says more.\n");
    return 2;
  }
  constexpr std::string_view kReload = "reload ";
  if (command.starts_with(kReload)) {
    // The recorder reads no files of its user.
    try {
      command = std::string(kReload) + read_config(command.substr(kReload.size()));
    } catch (const std::invalid_argument& e) {
      std::fprintf(stderr, "tailcap control: %s\n", e.what());
      return 2;
    }
  }
  if (command.size() > kCommandBytes) {
    std::fprintf(stderr, "tailcap control: a command has at most %zu bytes, not %zu.\n", kCommandBytes, command.size());
    return 2;
  }
  // The recorder has a working directory of its own. It also gives names itself: then the first line is empty.
  constexpr std::string_view kSnapshot = "snapshot ";
  if (command.starts_with(kSnapshot) && command[kSnapshot.size()] != '\n')
    command = std::string(kSnapshot) + std::filesystem::absolute(command.substr(kSnapshot.size())).string();
  return ask(argv[1], command);
}

}  // namespace tailcap::capture
