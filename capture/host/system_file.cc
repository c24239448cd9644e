#include "capture/host/system_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace tailcap::capture {

namespace {

constexpr std::size_t kChunk = 16384;  // the kernel hands out at most a page or a few of such files at once

// O_NONBLOCK: there may be a FIFO in place of the file.
int open_quietly(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }

// Appends at most `most` bytes. 0: the end, or an error.
std::size_t read_more(int descriptor, std::string& text, std::size_t most) {
  const std::size_t used = text.size();
  text.resize(used + most);
  ssize_t got;
  while ((got = ::read(descriptor, text.data() + used, most)) < 0 && errno == EINTR) {
  }
  const std::size_t more = got > 0 ? static_cast<std::size_t>(got) : 0;
  text.resize(used + more);
  return more;
}

}  // namespace

std::string read_system_file(const std::string& path, std::size_t most) {
  std::string text;
  const int descriptor = open_quietly(path);
  if (descriptor < 0) return text;
  while (text.size() < most && read_more(descriptor, text, std::min(kChunk, most - text.size())) > 0) {
  }
  ::close(descriptor);
  return text;
}

SystemLines::SystemLines(const std::string& path, std::size_t most) : descriptor_(open_quietly(path)), left_(most) {}

SystemLines::~SystemLines() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool SystemLines::fill() {
  if (end_ || descriptor_ < 0) return false;
  buffer_.erase(0, at_);
  at_ = 0;
  const std::size_t more = left_ == 0 ? 0 : read_more(descriptor_, buffer_, std::min(kChunk, left_));
  left_ -= more;
  end_ = more == 0;
  return !end_;
}

bool SystemLines::next(std::string_view& line) {
  bool skipping = false;
  for (;;) {
    const auto end = buffer_.find('\n', at_);
    if (end != buffer_.npos) {
      line = std::string_view(buffer_).substr(at_, end - at_);
      at_ = end + 1;
      if (!skipping) return true;
      skipping = false;
      continue;
    }
    if (buffer_.size() - at_ > kChunk) {
      skipping = true;
      at_ = buffer_.size();
    }
    if (fill()) continue;
    // The last line may lack its line end; one that the limit has cut is not whole.
    const bool last = !skipping && at_ < buffer_.size() && left_ > 0;
    if (last) line = std::string_view(buffer_).substr(at_);
    at_ = buffer_.size();
    return last;
  }
}

}  // namespace tailcap::capture
