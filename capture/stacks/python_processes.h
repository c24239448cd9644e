// Tells the kernel program which processes run CPython, and where its structures are (bpf/event_python.h).
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "bpf/event.h"
#include "capture/symbols/python.h"

namespace tailcap::capture::stacks {

// The function in which CPython executes code.
inline constexpr std::string_view kPythonInterpreter = "_PyEval_EvalFrameDefault";

// Used by one thread.
class PythonProcesses {
 public:
  explicit PythonProcesses(int map) : map_(map) {}  // -1: nothing is done

  // bias: by how much addresses of the process exceed those in the file. A version that is not known changes nothing.
  void set(std::uint32_t pid, const symbols::PythonProgram& program, std::uint64_t bias);
  void forget(std::uint32_t pid);  // it runs another program, or none

 private:
  struct Known {
    std::uint64_t runtime = 0, number = 0;
  };
  int map_;
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint32_t, Known> known_;
};

}  // namespace tailcap::capture::stacks
