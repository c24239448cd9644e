#include "formats/file/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "formats/printable.h"

namespace tailcap::formats::file {
namespace {

std::system_error failure(int error, const std::string& what) {
  return std::system_error(error, std::generic_category(), what);
}

bool exists(const std::string& path) {
  struct stat status;
  return lstat(path.c_str(), &status) == 0;
}

// The name of a file is on the disk once its folder is.
void sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  fsync(fd);  // some file systems cannot; the file itself was synced
  close(fd);
}

// A new file that no other process can have opened before. -1: see errno.
int create(const std::string& path) {
  return open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
}

int lock(int fd) {
  // A reader may hold its shared lock for a moment, to see whether we run.
  int locked = -1;
  for (int attempt = 0; attempt < 20 && locked != 0; ++attempt) {
    if (attempt > 0) usleep(5000);
    locked = flock(fd, LOCK_EX | LOCK_NB);
  }
  return locked;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Locks what a recording that died left under this name. Throws where it is not that: a running recorder's file, or
// something that others put there for us to write into.
Descriptor lock_stale(const std::string& path) {
  const std::string name = printable(path);
  Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ELOOP)
    throw failure(ELOOP, name + " is a symbolic link; remove it or choose another name");
  if (file.get() < 0) throw failure(errno, "cannot open " + name);
  struct stat status;
  if (fstat(file.get(), &status) != 0) throw failure(errno, "cannot examine " + name);
  if (!S_ISREG(status.st_mode))
    throw failure(EEXIST, name + " is not a regular file; remove it or choose another name");
  if (status.st_uid != geteuid())
    throw failure(EEXIST, name + " belongs to another user; remove it or choose another name");
  if (status.st_nlink != 1)
    throw failure(EEXIST, name + " has other names (hard links); remove it or choose another name");
  if (lock(file.get()) != 0) {
    if (errno != EWOULDBLOCK) throw failure(errno, "cannot lock " + name);
    throw failure(EBUSY, name + " is being written by another recorder; choose another name or end that one");
  }
  // While we waited for the lock, another recorder may have replaced the file by its own.
  struct stat now;
  if (lstat(path.c_str(), &now) != 0 || now.st_ino != status.st_ino || now.st_dev != status.st_dev)
    throw failure(EBUSY, name + " is being written by another recorder; choose another name or end that one");
  return file;
}

}  // namespace

OutputFile::OutputFile(const std::string& path, bool force, const std::string& suffix)
    : path_(path), partial_(path + suffix), force_(force) {
  if (path == "-") throw std::runtime_error("a capture is not written to standard output here; name a file");
  struct stat status;
  if (lstat(path.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode))
      throw failure(S_ISDIR(status.st_mode) ? EISDIR : EEXIST,
                    printable(path) + " is not a regular file; name a file to write");
    if (!force) throw failure(EEXIST, printable(path) + " exists; choose another name or give --force to replace it");
  }
  fd_ = create(partial_);
  std::optional<Descriptor> stale;  // stays locked until the new file is, so that no two recorders replace each other's
  if (fd_ < 0 && errno == EEXIST) {
    stale.emplace(lock_stale(partial_));
    if (!force)
      throw failure(
          EEXIST, printable(partial_) +
                      " is left of a recording that died; `tailcap recover` saves what is in it, --force replaces it");
    if (unlink(partial_.c_str()) != 0) throw failure(errno, "cannot remove " + printable(partial_));
    fd_ = create(partial_);
  }
  if (fd_ < 0) throw failure(errno, "cannot create " + printable(partial_));
  if (lock(fd_) == 0) return;
  const int error = errno;
  close(fd_);
  throw failure(error, "cannot lock " + printable(partial_));
}

OutputFile::~OutputFile() { close(fd_); }

void OutputFile::fail(int error, const std::string& what, const std::string& advice) const {
  throw failure(error, what + " " + printable(partial_) + " at " + std::to_string(size()) + " bytes; " + advice);
}

void OutputFile::append(std::span<const std::byte> header, std::span<const std::byte> payload) {
  iovec parts[2] = {{const_cast<std::byte*>(header.data()), header.size()},
                    {const_cast<std::byte*>(payload.data()), payload.size()}};
  const std::uint64_t total = header.size() + payload.size();
  const std::uint64_t start = size();
  std::uint64_t done = 0;
  while (done < total) {
    const ssize_t n = pwritev(fd_, parts, 2, static_cast<off_t>(start + done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : ENOSPC;
      // Half a block would be counted as damage later. If it cannot be taken off, readers skip it.
      if (ftruncate(fd_, static_cast<off_t>(start)) != 0) errno = error;
      fail(error, "cannot write", "everything up to there is readable: make room, then `tailcap recover` it");
    }
    done += static_cast<std::uint64_t>(n);
    auto left = static_cast<std::size_t>(n);
    for (iovec& part : parts) {
      const std::size_t taken = std::min(left, part.iov_len);
      part.iov_base = static_cast<std::byte*>(part.iov_base) + taken;
      part.iov_len -= taken;
      left -= taken;
    }
  }
  size_.store(start + total, std::memory_order_relaxed);
}

void OutputFile::sync() {
  if (fsync(fd_) != 0 && errno != EINVAL)
    fail(errno, "cannot sync", "the disk may have a problem: see the kernel's log");
  sync_folder_of(partial_);
}

void OutputFile::finish() {
  sync();
  // Without force nothing may be replaced, not even what appeared while we recorded.
  int result = 0;
  if (give_name_) {
    errno = give_name_(force_);
    result = errno == 0 ? 0 : -1;
  } else {
    result = renameat2(AT_FDCWD, partial_.c_str(), AT_FDCWD, path_.c_str(), force_ ? 0 : RENAME_NOREPLACE);
  }
  if (result != 0 && errno == EINVAL && !exists(path_)) result = rename(partial_.c_str(), path_.c_str());
  if (result != 0)
    fail(errno, "cannot rename to " + printable(path_) + " the capture",
         "it is whole under that name: rename it yourself");
  if (!is_named(path_)) {
    struct stat own {};
    fstat(fd_, &own);
    throw std::runtime_error(
        printable(path_) + " is not the capture that was written: who may write its folder has put " +
        "something else there. The capture has " + std::to_string(size()) + " bytes; `find FOLDER -inum " +
        std::to_string(own.st_ino) + "` finds it if it has a name");
  }
  sync_folder_of(path_);
}

bool OutputFile::is_named(const std::string& path) const {
  struct stat named {
  }, own{};
  return lstat(path.c_str(), &named) == 0 && fstat(fd_, &own) == 0 && named.st_ino == own.st_ino &&
         named.st_dev == own.st_dev;
}

void OutputFile::discard() {
  if (is_named(partial_)) (void)unlink(partial_.c_str());
}

}  // namespace tailcap::formats::file
