// Another run of this program, for one question.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tailcap::cli {

struct ChildAnswer {
  int code = 1;              // exit code; 1 where a signal ended it
  std::string text;          // standard output, whole lines of at most the bytes that were asked for
  std::string messages;      // standard error, cut likewise
  std::size_t left_out = 0;  // bytes of standard output beyond that
};

// `tailcap WORDS…`, without standard input. Throws std::system_error where it cannot be run.
ChildAnswer run_child(const std::vector<std::string>& words, std::size_t most);

}  // namespace tailcap::cli
