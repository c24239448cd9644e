#include "analyze/views/flame/stack_text.h"

#include <algorithm>

#include "analyze/model/study/lined_frame.h"
#include "analyze/report/words/escape.h"
#include "analyze/views/events/event_names.h"
#include "formats/event.h"
#include "ground/syscalls.h"
#include "ground/task_state.h"

namespace tailcap::views {

using namespace formats;

std::string frame_of(std::string_view name) {
  std::string text = report::printable(name);
  std::replace(text.begin(), text.end(), ';', ' ');
  return text;
}

void ThreadNames::push(const Event& event) {
  if (const auto* info = std::get_if<TaskInfo>(&event.body))
    put(event.thread.tid, info->comm);
  else if (const auto* exec = std::get_if<TaskExec>(&event.body))
    put(event.thread.tid, exec->comm);
  else if (const auto* start = std::get_if<TaskStart>(&event.body))
    put(event.thread.tid, start->comm);
}

std::string ThreadNames::of(std::uint32_t tid) const {
  const auto known = names_.find(tid);
  return known == names_.end() ? "process " + std::to_string(tid) : known->second;
}

void ThreadNames::put(std::uint32_t tid, std::string_view comm) {
  if (!comm.empty()) names_[tid] = frame_of(comm);
}

std::string stack_text(const std::string& process, const Sample& sample, bool with_lines) {
  std::string stack = process;
  std::string_view lines = with_lines && std::ranges::count(sample.lines, ';') == std::ranges::count(sample.user, ';')
                               ? sample.lines
                               : std::string_view();
  const auto next = [](std::string_view& text) {
    const std::string_view first = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(first.size() + 1, text.size()));
    return first;
  };
  const auto add = [&](std::string_view text, const char* mark) {
    while (!text.empty()) {
      stack += ";" + report::printable(next(text)) + mark;
      if (const std::string_view line = next(lines); !line.empty())
        stack += std::string(model::kAtLine) + report::printable(line);
    }
  };
  if (sample.user.empty() && sample.kernel.empty()) stack += ";[no stack]";
  add(sample.user, "");
  add(sample.kernel, "_[k]");
  return stack;
}

std::string wait_text(Thread thread, const OffCpu& off, const ThreadNames& names, bool queued) {
  std::string stack = names.of(thread.pid) + ";" + names.of(thread.tid);
  if (off.state & ground::kTaskNew) return stack + ";new, waiting for a CPU";
  const bool preempted = off.runnable == off.left;
  if (preempted) return stack + (off.throttled ? ";CPU quota used up" : ";preempted");
  stack += ";" + (off.syscall >= 0 ? ground::syscall_name(off.syscall) : std::string("outside any system call"));
  if (off.file != FileKind::unknown) stack += ";on " + std::string(name_of(off.file));
  if (off.state & 2) stack += ";uninterruptible";
  if (queued) stack += kQueued;
  return stack;
}

}  // namespace tailcap::views
