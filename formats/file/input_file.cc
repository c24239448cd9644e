#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "formats/bounds/process_bounds.h"
#include "formats/file/block_index.h"
#include "formats/printable.h"

namespace tailcap::formats::file {

InputFile::InputFile(const std::string& path) : name_(printable(path)) {
  fd_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not hold us up
  if (fd_ < 0) {
    const int error = errno;
    const std::string partial = path + ".partial";
    if (error == ENOENT && access(partial.c_str(), F_OK) == 0) {
      throw std::runtime_error(name_ + " does not exist, but " + printable(partial) +
                               " does: its recording still runs or died. Read that one; what is in it is readable");
    }
    throw std::system_error(error, std::generic_category(), "cannot open " + name_);
  }
  struct stat status;
  const int result = fstat(fd_, &status);
  std::string problem;
  if (result != 0) {
    problem = "cannot be looked at";
  } else if (S_ISDIR(status.st_mode)) {
    problem = "is a directory; name the .tcap file in it";
  } else if (!S_ISREG(status.st_mode)) {
    problem = "is not a regular file; a capture is read in any order, so copy it to a file first";
  } else if (status.st_size == 0) {
    problem = "is empty: nothing was recorded into it, or it was not copied whole";
  }
  if (!problem.empty()) {
    close(fd_);
    throw std::runtime_error(name_ + " " + problem);
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
  identity_ = identity_of(status);
  widen_limits(identity_);
}

InputFile::~InputFile() { close(fd_); }

std::size_t InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  if (offset >= size_) return 0;
  out = out.first(static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), size_ - offset)));
  while (done < out.size()) {
    const ssize_t n = pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw std::system_error(errno, std::generic_category(),
                              "cannot read " + name_ + " at byte " + std::to_string(offset + done));
    if (n == 0) break;  // it was cut after we opened it
    done += static_cast<std::size_t>(n);
  }
  return done;
}

bool InputFile::being_written() const {
  if (flock(fd_, LOCK_SH | LOCK_NB) == 0) {
    flock(fd_, LOCK_UN);
    return false;
  }
  return errno == EWOULDBLOCK;
}

}  // namespace tailcap::formats::file
