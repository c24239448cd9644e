// CPU samples of targets (bpf/sched/sample.bpf.c): converts addresses to names.
//
// A process's mappings are read when its first sample arrives, at most 50 ms after it was taken: if the process has
// ended by then, its samples have no names. Samples wait here for a short time until their files are read, and are
// returned in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <fstream>
#include <functional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "capture/stacks/code_files.h"
#include "capture/stacks/frame_texts.h"
#include "capture/stacks/kernel_names.h"
#include "capture/stacks/process_code.h"
#include "capture/stacks/scripts/language.h"
#include "capture/stacks/scripts/script_codes.h"
#include "capture/stacks/scripts/script_frames.h"
#include "capture/stacks/waiting_stacks.h"
#include "formats/event.h"

namespace tailcap::capture::stacks {

// What a sample may lack that could be known later.
enum class Lacking : std::uint8_t { nothing, lines, anything };

class Samples {
 public:
  // processes must outlive this object. hurry: see scan::ProcessTexts.
  Samples(KernelNames kernel, const scan::Processes& processes, StackMaps maps = {}, std::function<bool()> hurry = {});

  // waits: its thread is known to be in its wait still. False: not a sample.
  bool take(std::span<const std::byte> record, bool waits = false);
  // The stacks of threads that wait now, before the recording ends. list: see waiting_stacks.
  void take_waiting(const std::function<Bytes()>& list);
  bool take_code(std::span<const std::byte> record);     // of a function of a script; false: it is not valid
  void forget(std::uint32_t pid) { code_.forget(pid); }  // it runs another program, or has ended
  void ended(std::uint32_t pid) {                        // its samples may still wait for names
    files_.tell(pid, {});
    code_.ended(pid);
  }

  // The next sample; null: none that lacks no more than this. Valid until the next call.
  const formats::Event* next(Lacking lacking = Lacking::nothing);
  // What is not known of stacks, in sentences; once each.
  std::vector<std::string> take_remarks();
  void wait();  // until the files are read, or a time limit

 private:
  struct Waiting {
    formats::Time time{};
    formats::Thread thread{};
    std::uint64_t goroutine = 0;
    formats::Sample facts;        // without the stacks
    std::vector<CodePlace> user;  // innermost first
    bool cut = false;             // there were more frames
    std::string kernel;
    std::vector<std::uint64_t> script;         // innermost first
    std::vector<std::uint64_t> script_places;  // where in its code each of these is, plus one; fewer: not known
    bpf::script_end script_end = bpf::SCRIPT_END_NONE;
    const ScriptLanguage* language = nullptr;
    bool asked_for_lines = false;
  };
  bool may_go(const Waiting& sample, Lacking lacking);
  void settle_places(Waiting& sample);
  void ask_for_lines();
  FrameTexts user_text(Waiting& sample);
  std::string kernel_text(std::span<const std::byte> addresses, formats::SampleKind kind);

  const scan::Processes& processes_;
  const StackMaps maps_;
  KernelNames kernel_;
  CodeFiles files_;
  ProcessCode code_;
  ScriptCodes codes_;
  std::deque<Waiting> waiting_;
  formats::Time lines_due_ = formats::kNoTime;  // unknown: no sample has lacked lines yet
  std::uint32_t late_ = 0;                      // waits without their stack, for the weight of the next
  FrameTexts user_text_;
  std::string kernel_text_;
  formats::Event event_;
};

}  // namespace tailcap::capture::stacks
