// Programs of their own, beside this one or in the path: the recorder, so that only it needs privileges, and the gate.
#pragma once

#include <string>
#include <vector>

namespace tailcap::cli {

// Becomes `tailcap-record WORDS…`. Returns, after it has said why, only where that cannot be run: 1.
int execute_recorder(std::vector<std::string> words);

// Becomes `tailcap-gate WORDS…`, likewise.
int execute_gate(std::vector<std::string> words);

struct RecorderAnswer {
  int code = 1;      // exit code
  std::string text;  // what it printed, without the newline at the end
};
// Runs it and waits. Throws std::system_error.
RecorderAnswer ask_recorder(const std::vector<std::string>& words);

}  // namespace tailcap::cli
