// Places probes in a file (uprobes).
//
// By a descriptor, so that it is the file that was read, whatever has its name by now. Runs in the process that opens
// files (capture/scan/opener): the kernel reads the file, and may wait for it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "capture/scan/function_links.h"

namespace tailcap::capture {

inline constexpr std::uint32_t kUprobeMulti = 48;  // BPF_TRACE_UPROBE_MULTI, newer than the headers we build with

// Whether each place is a perf event, which Debian's kernels leave to CAP_SYS_ADMIN (kernel.perf_event_paranoid is
// above 2).
bool places_need_admin();

// How the places of a file are attached.
struct PlaceLinks {
  bool many = false;       // one link for each program
  std::uint32_t type = 0;  // otherwise: of the perf events
  std::uint32_t pid = 0;   // only in this process; 0: in all that run the file
};

// programs: descriptors by FunctionProgram. links: the new links are appended. Returns the reason on an error; the
// links made before it stay.
std::string link_many(int file, const PlaceLinks& how, std::span<const int> programs,
                      const std::vector<FunctionProbe>& places, std::vector<int>& links);
// A link, or a link before its perf event.
std::string link_each(int file, const PlaceLinks& how, std::span<const int> programs,
                      const std::vector<FunctionProbe>& places, std::vector<int>& links);

}  // namespace tailcap::capture
