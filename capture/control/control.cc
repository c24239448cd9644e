#include "capture/control/control.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <system_error>

namespace tailcap::capture {

namespace {

constexpr std::size_t kCallers = 8;  // connected and not yet heard
constexpr std::chrono::seconds kClientPatience{1};

[[noreturn]] void fail(const std::string& what) { throw std::system_error(errno, std::generic_category(), what); }

// The names that bind() takes are short; a path through a descriptor is not longer for a longer folder.
sockaddr_un address_in(int folder, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = "/proc/self/fd/" + std::to_string(folder) + "/" + name;
  assert(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// The kernel reports the peer's user; a number in the message could be forged.
bool may_command(int descriptor) {
  ucred who{};
  socklen_t size = sizeof who;
  return getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && size == sizeof who &&
         (who.uid == 0 || who.uid == geteuid());
}

void reply(int descriptor, Obeyed obeyed, std::string_view text) {
  const std::string message = std::string(word_of(obeyed)) + " " + std::string(text.substr(0, kCommandBytes));
  // Its buffer is empty: this is the first and only message. Who does not want it any more has not asked.
  (void)!send(descriptor, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

const char* word_of(Obeyed obeyed) {
  return obeyed == Obeyed::done ? "done" : obeyed == Obeyed::failed ? "failed" : "usage";
}

Control::Control(const std::string& file) {
  try {
    open(file);
  } catch (...) {
    close_all();
    throw;
  }
}

Control::~Control() { close_all(); }

void Control::open(const std::string& file) {
  const std::filesystem::path path(file + std::string(kControlSuffix));
  const std::string name = path.filename();
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const std::string what = "cannot make '" + path.string() + "'";
  folder_ = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) fail(what);
  struct stat there {};
  if (fstatat(folder_, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISSOCK(there.st_mode))
    throw std::runtime_error(what + ": something that is no socket has this name; move it away");
  listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (listener_ < 0 || epoll_ < 0) fail(what);
  // Before it has a name, so that at no time others may connect.
  if (fchmod(listener_, S_IRUSR | S_IWUSR) != 0) fail(what);
  // Bound under a short name and renamed: names may be longer than bind() takes, and what was left behind is replaced.
  const std::string brief = ".tailcap-control-" + std::to_string(getpid());
  (void)unlinkat(folder_, brief.c_str(), 0);
  const sockaddr_un address = address_in(folder_, brief);
  if (bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail(what);
  if (renameat(folder_, brief.c_str(), folder_, name.c_str()) != 0) {
    const int error = errno;
    (void)unlinkat(folder_, brief.c_str(), 0);
    errno = error;
    fail(what);
  }
  name_ = name;
  epoll_event event{};
  event.events = EPOLLIN;
  if (listen(listener_, static_cast<int>(kCallers)) != 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0)
    fail(what);
}

void Control::close_all() {
  if (!name_.empty()) (void)unlinkat(folder_, name_.c_str(), 0);
  if (asking_ >= 0) close(asking_);
  for (const Caller& caller : callers_) close(caller.descriptor);
  for (const int descriptor : {listener_, epoll_, folder_}) {
    if (descriptor >= 0) close(descriptor);
  }
}

void Control::drop(std::size_t caller) {
  close(callers_[caller].descriptor);  // which also takes it out of the epoll set
  callers_.erase(callers_.begin() + static_cast<std::ptrdiff_t>(caller));
}

void Control::accept_callers() {
  const auto now = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kCallers; i++) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (descriptor < 0) break;
    epoll_event event{};
    event.events = EPOLLIN;
    if (!may_command(descriptor) || epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) {
      close(descriptor);
      continue;
    }
    callers_.push_back({descriptor, now});
    if (callers_.size() > kCallers) drop(0);
  }
  while (!callers_.empty() && now - callers_.front().since > kClientPatience) drop(0);
}

std::optional<Control::Command> Control::next() {
  assert(asking_ < 0);
  accept_callers();
  for (std::size_t i = 0; i < callers_.size();) {
    std::array<char, kCommandBytes> text;
    const ssize_t length = recv(callers_[i].descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) {
      i++;
      continue;
    }
    if (length > static_cast<ssize_t>(text.size()))
      reply(callers_[i].descriptor, Obeyed::usage, "a command of more than " + std::to_string(text.size()) + " bytes");
    if (length <= 0 || length > static_cast<ssize_t>(text.size())) {
      drop(i);
      continue;
    }
    asking_ = callers_[i].descriptor;
    callers_.erase(callers_.begin() + static_cast<std::ptrdiff_t>(i));
    const std::string_view line(text.data(), static_cast<std::size_t>(length));
    const auto space = line.find(' ');
    return Command{std::string(line.substr(0, space)), std::string(space == line.npos ? "" : line.substr(space + 1))};
  }
  return std::nullopt;
}

void Control::answer(Obeyed obeyed, std::string_view text) {
  assert(asking_ >= 0);
  reply(asking_, obeyed, text);
  close(asking_);
  asking_ = -1;
}

Answer Control::answer_later() {
  assert(asking_ >= 0);
  return Answer(std::exchange(asking_, -1));
}

Answer::~Answer() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Answer::give(Obeyed obeyed, std::string_view text) {
  if (descriptor_ < 0) return;
  reply(descriptor_, obeyed, text);
  close(std::exchange(descriptor_, -1));
}

}  // namespace tailcap::capture
