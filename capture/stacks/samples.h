// Samples of what targets do (bpf/sample.h), from addresses to names.
//
// A process' mappings are read when its first sample comes, at most 50 ms after it was taken: of a process that is gone
// by then nothing has a name. Samples wait here for their files to be read, not long, and come out in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "capture/stacks/code_files.h"
#include "capture/stacks/kernel_names.h"
#include "capture/stacks/process_code.h"
#include "formats/event.h"

namespace tailcap::capture::stacks {

class Samples {
 public:
  // processes must outlive this.
  Samples(KernelNames kernel, const scan::Processes& processes);

  bool take(std::span<const std::byte> record);          // false: no record of a sample
  void forget(std::uint32_t pid) { code_.forget(pid); }  // it runs another program, or none

  // The next one whose names are known as far as they will be; anyway: as far as they are. Null: none. Valid until the
  // next call.
  const formats::Event* next(bool anyway = false);
  void wait();  // until the files are read, or it takes too long

 private:
  struct Waiting {
    formats::Time time{};
    formats::Thread thread{};
    std::uint64_t goroutine = 0;
    formats::Sample facts;        // without the stacks
    std::vector<CodePlace> user;  // innermost first
    bool cut = false;             // there were more frames
    std::string kernel;
  };
  std::string kernel_text(std::span<const std::byte> addresses, formats::SampleKind kind);

  KernelNames kernel_;
  CodeFiles files_;
  ProcessCode code_;
  std::deque<Waiting> waiting_;
  std::string user_text_, kernel_text_;
  formats::Event event_;
};

}  // namespace tailcap::capture::stacks
