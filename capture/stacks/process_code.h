// Which file an address of a process lies in, as long as the process lives.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "capture/scan/process_texts.h"
#include "capture/stacks/code_files.h"
#include "formats/time.h"

namespace tailcap::capture::stacks {

struct CodePlace {
  std::shared_ptr<CodeFile> file;  // null: unknown
  std::uint64_t offset = 0;        // in the file
  bool awaited = false;            // the process has been asked where its code is; offset is the address
};

class ProcessCode {
 public:
  // Files and processes must outlive this. hurry: see scan::ProcessTexts.
  ProcessCode(CodeFiles& files, const scan::Processes& processes, std::function<bool()> hurry)
      : files_(files), texts_(processes, std::move(hurry)) {}

  // Reads /proc where the process is new, has mapped more since, or has not been looked at for a second.
  CodePlace at(std::uint32_t pid, std::uint64_t address, formats::Time now);
  void forget(std::uint32_t pid);  // it runs another program, or none
  void ended(std::uint32_t pid);   // its files may be removed; its samples may still wait for names
  // Finds an awaited place, where the answer has come.
  void settle(std::uint32_t pid, CodePlace& place);
  // Returns when all processes have answered, or after `most`.
  void wait(std::chrono::milliseconds most);

 private:
  struct Process {
    std::vector<CodeRange> ranges;                     // by address
    std::vector<std::shared_ptr<const CodeUse>> uses;  // of their files; none once it has ended
    std::shared_ptr<CodeFile> dump;                    // jit-PID.dump; null: none is mapped
    formats::Time read = formats::kNoTime;
    bool asked = false, ended = false;
    std::uint32_t silent = 0;  // times in a row that it did not answer
  };
  void read(std::uint32_t pid);
  void take_answers();
  std::shared_ptr<CodeFile> kernels_own(const std::string& name);
  static const CodeRange* find(const Process& process, std::uint64_t address);

  CodeFiles& files_;
  scan::ProcessTexts texts_;
  std::unordered_map<std::uint32_t, Process> processes_;
  std::unordered_map<std::string, std::shared_ptr<CodeFile>> kernels_own_;
};

}  // namespace tailcap::capture::stacks
