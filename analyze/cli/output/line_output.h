// Lines on standard output, many of them: buffered, checked, and quiet when the reader has closed the pipe (| head).
#pragma once

#include <string>
#include <string_view>

namespace tailcap::cli {

class LineOutput {
 public:
  LineOutput() = default;
  LineOutput(const LineOutput&) = delete;
  LineOutput& operator=(const LineOutput&) = delete;

  // All lines are for print_paged(), which gets them at once.
  void wait_for_pager(bool wait) { waits_ = wait; }
  // Append to this, then call end_line().
  std::string& buffer() { return buffer_; }
  // False: the reader has gone, print no more. Throws std::system_error if standard output cannot be written.
  bool end_line();
  bool line(std::string_view text);
  bool gone() const { return gone_; }  // the reader has
  // Call once at the end; the destructor does not write.
  void flush();

 private:
  std::string buffer_;
  bool gone_ = false, waits_ = false;
};

}  // namespace tailcap::cli
