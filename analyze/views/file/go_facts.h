// What is known of the Go programs in a capture, as `tailcap info` shows it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/go_event.h"

namespace tailcap::views {

class GoFacts {
 public:
  // Recorded repeatedly: each process counts once.
  void push(std::uint32_t pid, const formats::GoProgram& program);
  void push(std::uint32_t pid, const formats::GoBuild& build);

  bool empty() const { return programs_.empty(); }
  std::vector<std::string> lines() const;  // for people

  // A program; printable.
  struct Listed {
    std::string path, version, offsets_from, unsupported;
    std::uint16_t goid_offset = 0;
    std::set<std::uint32_t> processes;
    std::vector<std::string_view> told;           // the parts that are known of it
    std::vector<std::vector<std::string>> build;  // lines of fields
  };
  std::vector<Listed> listed() const;

 private:
  struct Program {
    std::string offsets_from, unsupported;
    std::uint16_t goid_offset = 0;
    std::uint8_t parts = 0;
    std::set<std::uint32_t> processes;
    std::vector<std::string> builds;  // formats::GoBuild::lines: several where the file was replaced while recording
  };
  static constexpr std::size_t kMaxKnown = 65536;  // a capture is not to be trusted

  using Key = std::pair<std::string, std::string>;  // path and version
  std::map<Key, Program> programs_;
  std::map<std::uint32_t, Key> runs_;  // by process
  std::size_t known_ = 0;
};

}  // namespace tailcap::views
