#include "capture/scan/function_links.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <thread>
#include <utility>

#include "capture/host/kernel.h"
#include "capture/host/shadow_stacks.h"
#include "capture/scan/target_files.h"

namespace tailcap::capture {

namespace {

constexpr std::size_t kDetachThreads = 32;

void close_all(std::vector<int>& descriptors) {
  std::for_each(descriptors.rbegin(), descriptors.rend(), close);
  descriptors.clear();
}

}  // namespace

struct FunctionLinks::Resting {
  scan::TargetFile file;
  std::vector<FunctionProbe> places;
};

FunctionLinks::FunctionLinks() = default;
FunctionLinks::~FunctionLinks() { detach(); }

void FunctionLinks::use(const std::array<int, kFunctionPrograms>& programs, bool many) {
  programs_ = programs;
  many_ = many;
}

std::string FunctionLinks::attach(scan::TargetFiles& files, const scan::TargetFile& file,
                                  const std::vector<FunctionProbe>& places, std::uint32_t group, bool anew,
                                  std::uint32_t pid) {
  if (pid && many_ && !counts_all_threads())
    return "this kernel would count the process's first thread only: Linux 6.10 and later, and 5.15 to 6.5, count all";
  auto kept = group < resting_from_ ? std::nullopt : file.again();
  if (!rests_ || !kept) {
    const std::string problem = place(files, file, places, group, anew, pid);
    if (!problem.empty()) return problem;
  }
  if (!kept) return {};
  auto& resting = resting_[group];
  if (!resting) resting = std::make_unique<Resting>(Resting{*std::move(kept), {}});
  resting->places.insert(resting->places.end(), places.begin(), places.end());
  return {};
}

std::vector<FunctionLinks::Refused> FunctionLinks::rest(scan::TargetFiles& files, bool on) {
  std::vector<Refused> refused;
  if (on == rests_) return refused;
  rests_ = on;
  for (auto at = resting_.begin(); at != resting_.end();) {
    const auto& [group, resting] = *at;
    if (on) {
      close_all(links_[group]);
      links_.erase(group);
    } else if (std::string reason = place(files, resting->file, resting->places, group, true); !reason.empty()) {
      refused.push_back({resting->file.shown, std::move(reason)});
      at = resting_.erase(at);
      continue;
    }
    ++at;
  }
  return refused;
}

std::string FunctionLinks::place(scan::TargetFiles& files, const scan::TargetFile& file,
                                 const std::vector<FunctionProbe>& places, std::uint32_t group, bool anew,
                                 std::uint32_t pid) {
  const bool calls =
      std::any_of(places.begin(), places.end(), [](const auto& place) { return begins_with_call(place.code); });
  if (calls && avoids_calls_) return "its place is a call: a probe there would end processes that have a shadow stack";
  if (calls) groups_with_calls_.insert(group);
  // Only those programs that are needed, by new numbers: one that is not loaded has no descriptor.
  std::vector<int> programs;
  std::array<std::uint8_t, kFunctionPrograms> numbers{};
  std::vector<FunctionProbe> renumbered = places;
  // Returns first, and close_all() leaves them to the last: an entry whose return is not seen would be a gap.
  std::stable_partition(renumbered.begin(), renumbered.end(), [](const FunctionProbe& place) {
    return place.program == FunctionProgram::leave || place.program == FunctionProgram::go_leave;
  });
  for (auto& place : renumbered) {
    const auto program = static_cast<std::size_t>(place.program);
    if (programs_[program] < 0) return "its kernel program is not loaded";
    if (numbers[program] == 0) {
      programs.push_back(programs_[program]);
      numbers[program] = static_cast<std::uint8_t>(programs.size());
    }
    place.program = static_cast<FunctionProgram>(numbers[program] - 1);
  }
  const std::vector<int> links = files.attach(file, programs, renumbered, many_, anew, pid);
  if (links.empty()) return files.problem();
  links_[group].insert(links_[group].end(), links.begin(), links.end());
  return {};
}

// The kernel waits for all CPUs to have left a place: for many at once.
void FunctionLinks::detach() {
  std::vector<int> all;
  for (const auto& [group, links] : links_) all.insert(all.end(), links.begin(), links.end());
  links_.clear();
  std::vector<std::thread> threads;
  std::atomic<std::size_t> next = 0;
  for (std::size_t i = 0; i < std::min(kDetachThreads, all.size()); i++) {
    threads.emplace_back([&] {
      for (std::size_t at = next++; at < all.size(); at = next++) close(all[at]);
    });
  }
  for (auto& thread : threads) thread.join();
}

void FunctionLinks::avoid_calls() {
  avoids_calls_ = true;
  for (const std::uint32_t group : groups_with_calls_) detach(group);
  groups_with_calls_.clear();
}

void FunctionLinks::detach(std::uint32_t group) {
  close_all(links_[group]);
  links_.erase(group);
  resting_.erase(group);
}

}  // namespace tailcap::capture
