// Which file an address of a process lies in, as long as the process lives.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "capture/stacks/code_files.h"
#include "formats/time.h"

namespace tailcap::capture::stacks {

struct CodePlace {
  std::shared_ptr<CodeFile> file;  // null: not known
  std::uint64_t offset = 0;        // in the file
};

class ProcessCode {
 public:
  // files must outlive this.
  explicit ProcessCode(CodeFiles& files) : files_(files) {}

  // Reads /proc where the process is new, has mapped more since, or has not been looked at for a second.
  CodePlace at(std::uint32_t pid, std::uint64_t address, formats::Time now);
  void forget(std::uint32_t pid);  // it runs another program, or none

 private:
  struct Range {
    std::uint64_t start = 0, end = 0, offset = 0;
    std::shared_ptr<CodeFile> file;
  };
  struct Process {
    std::vector<Range> ranges;  // by address
    formats::Time read = formats::kNoTime;
  };
  void read(std::uint32_t pid, Process& process);
  static const Range* find(const Process& process, std::uint64_t address);

  CodeFiles& files_;
  std::unordered_map<std::uint32_t, Process> processes_;
};

}  // namespace tailcap::capture::stacks
