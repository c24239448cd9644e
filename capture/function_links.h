// Kernel programs at places in functions of programs and libraries (uprobes).
//
// Never the kind that replaces return addresses. From Linux 6.6 on many places are one link, which the kernel leaves in
// one step; before that each is a perf event, and leaving takes a tenth of a second for each.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tailcap::capture {

// The kernel program for a place (bpf/tls.h, bpf/go.h), and what it is told of the place.
enum class FunctionProgram : std::uint8_t { enter, leave, event, go_enter, go_leave, go_event, runtime, channel, allocation };
inline constexpr std::size_t kFunctionPrograms = 9;

struct FunctionProbe {
  FunctionProgram program = FunctionProgram::enter;
  std::uint64_t offset = 0;  // in the file
  std::uint64_t cookie = 0;  // bpf/event.h
};

class FunctionLinks {
 public:
  FunctionLinks() = default;
  ~FunctionLinks();  // detaches
  FunctionLinks(const FunctionLinks&) = delete;
  FunctionLinks& operator=(const FunctionLinks&) = delete;

  // Descriptors of the loaded programs; -1: not loaded. many: they were loaded for links of many places.
  void use(const std::array<int, kFunctionPrograms>& programs, bool many);
  // In all processes that run the file: all places, or none and why. A group can be left before the others.
  std::string attach(const std::string& path, const std::vector<FunctionProbe>& places, std::uint32_t group);
  void detach(std::uint32_t group);
  void detach();
  bool many() const { return many_; }  // leaving is a matter of milliseconds

 private:
  std::string attach_many(const std::string& path, const std::vector<FunctionProbe>& places, std::vector<int>& links);
  std::string attach_each(const std::string& path, const std::vector<FunctionProbe>& places, std::vector<int>& links);

  std::array<int, kFunctionPrograms> programs_{};
  bool many_ = false;
  std::map<std::uint32_t, std::vector<int>> links_;  // by group: a link, or a link before its perf event
};

}  // namespace tailcap::capture
