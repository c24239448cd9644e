#include "capture/probes/refusal.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "capture/host/kernel.h"
#include "capture/probes/program_choice.h"

namespace tailcap::capture {

namespace {

std::string rejects(std::string_view program, int error) {
  const char* why = error == E2BIG ? "too large" : error == EACCES ? "cannot be proven safe" : std::strerror(error);
  return "this kernel's verifier rejects the program " + std::string(program) + " (" + why + ")";
}

}  // namespace

std::string refused_program(const std::string& words) {
  constexpr std::string_view kBefore = "prog '", kAfter = "': failed to load";
  const auto end = words.rfind(kAfter);
  if (end == words.npos) return "";
  const auto begin = words.rfind(kBefore, end);
  return begin == words.npos ? "" : words.substr(begin + kBefore.size(), end - begin - kBefore.size());
}

std::string do_without(std::string_view program, int error, formats::HookTier tier, ProbeSettings& settings) {
  const auto sentence = [&](const std::string& what) { return rejects(program, error) + ": " + what; };
  // The pair that measures I/Os of disks is of no use if one of the two is missing.
  if (program.starts_with("node_")) {
    const bool disks = program.starts_with("node_io_");
    settings.left_out.emplace_back(disks ? "node_io_" : program);
    return sentence(disks ? "slow disks are not recorded" : "fragmentation of memory is not recorded");
  }
  if (program == "channel_event") {
    settings.deep = false;
    return sentence("what --profile deep adds is not recorded");
  }
  // The group without which the program is not wanted.
  for (const Group group : settings.groups) {
    if (group == Group::io) continue;
    ProbeSettings others = settings;
    std::erase(others.groups, group);
    if (wanted(program, others, tier)) continue;
    settings.groups = others.groups;
    return sentence("the group " + std::string(name_of(group)) +
                    " is not recorded (`tailcap record --list` describes it)");
  }
  return "";
}

std::string nothing_without(std::string_view program, int error) {
  return rejects(program, error) +
         ", without which nothing can be recorded. The oldest kernel that tailcap supports is " + kOldestKernelName +
         ". `tailcap record --dry-run --verifier-log -a` prints the kernel's reasons";
}

}  // namespace tailcap::capture
