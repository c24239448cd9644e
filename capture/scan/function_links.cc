#include "capture/scan/function_links.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "capture/host/shadow_stacks.h"
#include "capture/scan/target_files.h"

namespace tailcap::capture {

namespace {

constexpr std::size_t kDetachThreads = 32;

void close_all(std::vector<int>& descriptors) {
  for (const int descriptor : descriptors) close(descriptor);
  descriptors.clear();
}

}  // namespace

FunctionLinks::~FunctionLinks() { detach(); }

void FunctionLinks::use(const std::array<int, kFunctionPrograms>& programs, bool many) {
  programs_ = programs;
  many_ = many;
}

std::string FunctionLinks::attach(scan::TargetFiles& files, const scan::TargetFile& file,
                                  const std::vector<FunctionProbe>& places, std::uint32_t group, bool anew) {
  const bool calls =
      std::any_of(places.begin(), places.end(), [](const auto& place) { return begins_with_call(place.code); });
  if (calls && avoids_calls_) return "its place is a call: a probe there would end processes that have a shadow stack";
  if (calls) groups_with_calls_.insert(group);
  // Only those programs that are needed, by new numbers: one that is not loaded has no descriptor.
  std::vector<int> programs;
  std::array<std::uint8_t, kFunctionPrograms> numbers{};
  std::vector<FunctionProbe> renumbered = places;
  for (auto& place : renumbered) {
    const auto program = static_cast<std::size_t>(place.program);
    if (programs_[program] < 0) return "its kernel program is not loaded";
    if (numbers[program] == 0) {
      programs.push_back(programs_[program]);
      numbers[program] = static_cast<std::uint8_t>(programs.size());
    }
    place.program = static_cast<FunctionProgram>(numbers[program] - 1);
  }
  const std::vector<int> links = files.attach(file, programs, renumbered, many_, anew);
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
}

}  // namespace tailcap::capture
