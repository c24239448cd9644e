#include "analyze/cli/output/line_output.h"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "analyze/cli/output/terminal.h"

namespace tailcap::cli {
namespace {
constexpr std::size_t kBuffer = 64u << 10;
}

bool LineOutput::end_line() {
  buffer_ += '\n';
  if (buffer_.size() >= kBuffer && !waits_) flush();
  return !gone_;
}

bool LineOutput::line(std::string_view text) {
  buffer_ += text;
  return end_line();
}

void LineOutput::flush() {
  if (waits_) {
    print_paged(buffer_, true);
    buffer_.clear();
    return;
  }
  // A closed pipe is an answer here, not a reason to die.
  static const auto ignored = std::signal(SIGPIPE, SIG_IGN);
  (void)ignored;
  std::string_view rest = buffer_;
  while (!gone_ && !rest.empty()) {
    const ssize_t n = write(STDOUT_FILENO, rest.data(), rest.size());
    if (n >= 0)
      rest.remove_prefix(static_cast<std::size_t>(n));
    else if (errno == EPIPE)
      gone_ = true;
    else if (errno != EINTR)
      throw std::system_error(errno, std::generic_category(), "cannot write to standard output");
  }
  buffer_.clear();
}

}  // namespace tailcap::cli
