// Names of code made at run time, from what a runtime writes for `perf`: the text /tmp/perf-PID.map, a line
// "START SIZE NAME" for each function, in hexadecimal; or jit-PID.dump, a record for each, with the code itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "capture/symbols/encoding.h"
#include "capture/symbols/function_names.h"

namespace tailcap::capture::symbols {

class PerfMap {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 20;  // of the text; longer ones are not read
  static constexpr std::size_t kMaxLines = 1u << 20;   // later ones are left out

  PerfMap() = default;
  // What is no such line counts as none. Where functions overlap, the later line counts.
  explicit PerfMap(std::string_view text);
  // What a file of either kind says, if it belongs to this user. Empty: it does not, or cannot be read.
  static PerfMap of_file(int descriptor, std::uint32_t user);

  // A dump, as far as it is written. read: bytes from a place on, at most as many as are asked for.
  using Read = std::function<std::string(std::uint64_t offset, std::size_t bytes)>;
  static PerfMap of_dump(const Read& read);

  std::string_view at(std::uint64_t address) const;  // empty: not known
  std::uint64_t memory() const { return names_.memory(); }

  void encode(scan::Encoder& out) const { names_.encode(out); }
  static PerfMap decode(scan::Decoder& in);

 private:
  FunctionNames names_;  // none overlap
};

}  // namespace tailcap::capture::symbols
