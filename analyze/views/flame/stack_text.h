// Stacks as one line of text, outermost frame first: the process, then the functions, or what was waited for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/event_names.h"
#include "formats/sample.h"
#include "formats/thread_event.h"

namespace tailcap::views {

// Makes a frame of a name from outside: without what breaks a line or a stack.
std::string frame_of(std::string_view name);

// The names of threads at the current event.
class ThreadNames {
 public:
  void push(const formats::Event& event);
  std::string of(std::uint32_t tid) const;

 private:
  void put(std::uint32_t tid, std::string_view comm);

  std::unordered_map<std::uint32_t, std::string> names_;
};

// process: its name. with_lines: frames whose executed line is known have it (model::lined_frame).
std::string stack_text(const std::string& process, const formats::Sample& sample, bool with_lines = false);

// The reason of an off-CPU interval without a stack. queued: the part of it in which the thread could have run.
std::string wait_text(formats::Thread thread, const formats::OffCpu& off, const ThreadNames& names, bool queued);

// Follows the stack with which a thread switched out, for the part of the interval in which it could have run.
inline constexpr std::string_view kQueued = ";woken, waiting for a CPU";

}  // namespace tailcap::views
