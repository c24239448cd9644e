// What /proc showed of the targets last, as it goes into the file: what they run, and what they are called.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "capture/scan/proc.h"
#include "capture/scan/process_texts.h"

namespace tailcap::capture::targets {

// What a process runs, where its executable does not say it; empty: its name in the kernel is its name.
std::string name_of(const scan::ProcessTexts::Answer& answer, const ProcessFacts& facts);

class Described {
 public:
  // names: those that the user gave, by process. They hold for all below it that run the same program.
  Described(std::map<std::uint32_t, std::string> names, bool keep_arguments)
      : names_(std::move(names)), keep_arguments_(keep_arguments) {}

  void remember(const scan::ProcessTexts::Answer& answer, const ProcessFacts& facts);
  void forget(std::uint32_t pid) { shown_.erase(pid); }  // it runs another program
  void keep(const std::unordered_set<std::uint32_t>& pids);

  struct Shown {
    std::string command_line, executable;
    std::string service;  // empty: its name in the kernel is its name
    std::uint32_t parent = 0;
    bool as_parent = false;  // it bears its parent's name
  };
  const Shown* find(std::uint32_t pid) const;  // null: nothing was shown
  std::string service(std::uint32_t pid) const;

 private:
  std::map<std::uint32_t, std::string> names_;
  bool keep_arguments_;
  std::unordered_map<std::uint32_t, Shown> shown_;
};

}  // namespace tailcap::capture::targets
