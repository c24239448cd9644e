// V8 inside a file: its version, and what it says itself of its objects (the variables v8dbg_…, for debuggers).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class V8Program {
 public:
  enum Value : std::uint8_t {
    map_type,
    function_shared,
    shared_scope,
    shared_script,
    script_name,
    script_source,
    type_function,
    type_shared,
    type_scope,
    type_script,
    type_no_string,
    frame_function,
    frame_context,
    scope_variables,
    string_length,
    string_characters,
    values
  };

  V8Program() = default;
  explicit V8Program(const ElfFile& file);

  bool found() const { return major_ != 0; }
  std::int32_t major() const { return major_; }
  std::int32_t minor() const { return minor_; }
  std::optional<std::int32_t> value(Value which) const { return values_[which]; }  // none: it does not say

  void encode(scan::Encoder& out) const;
  static V8Program decode(scan::Decoder& in);

 private:
  std::int32_t major_ = 0, minor_ = 0;
  std::array<std::optional<std::int32_t>, values> values_;
};

}  // namespace tailcap::capture::symbols
