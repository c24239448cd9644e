// Another process, for one answer.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>

namespace tailcap::cli {

struct ChildAnswer {
  int code = 1;              // exit code; 1 where a signal ended it
  std::string text;          // standard output: all of it, or its first bytes up to the end of a line
  std::string messages;      // standard error, at most 2,000 bytes
  std::size_t left_out = 0;  // bytes of standard output that are not in `text`
};

// A process that becomes another program in `become`, with standard output and error of its own; what `become` returns
// is its exit code. Waits for it. most: bytes of `text`. Throws std::system_error where there can be none.
ChildAnswer run_child(const std::function<int()>& become, std::size_t most);

// Waits for the process. Returns its exit code, or 1.
int exit_code_of(pid_t child);

}  // namespace tailcap::cli
