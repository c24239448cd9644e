// Functions written byte by byte, with labels, for the tests of probe placement.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/function_graph.h"

namespace tailcap::testing {

class MachineCode {
 public:
  static constexpr std::uint64_t kAddress = 0x1000;

  // Bytes as text: "48 83 ec 18".
  MachineCode& hex(std::string_view text) {
    std::string digits;
    for (const char c : text) {
      if (c != ' ') digits += c;
      if (digits.size() == 2) {
        bytes_ += static_cast<char>(std::strtoul(digits.c_str(), nullptr, 16));
        digits.clear();
      }
    }
    return *this;
  }
  MachineCode& label(const std::string& name) {
    labels_[name] = bytes_.size();
    return *this;
  }
  // An opcode with an 8-bit ("78") or a 32-bit ("0f 88", "e8", "e9") distance to a label.
  MachineCode& near(std::string_view opcode, const std::string& to) { return hex(opcode).reference(to, 1); }
  MachineCode& far(std::string_view opcode, const std::string& to) { return hex(opcode).reference(to, 4); }
  // A call to an address outside.
  MachineCode& call(std::uint64_t target) { return to_address("e8", target); }
  MachineCode& jump(std::uint64_t target) { return to_address("e9", target); }

  std::uint64_t at(const std::string& name) const { return kAddress + labels_.at(name); }
  std::string bytes() const {
    std::string out = bytes_;
    for (const auto& [where, to, width] : references_) {
      const auto distance = static_cast<std::int32_t>(labels_.at(to) - (where + static_cast<std::size_t>(width)));
      for (int i = 0; i < width; ++i) out[where + static_cast<std::size_t>(i)] = static_cast<char>(distance >> (8 * i));
    }
    return out;
  }
  capture::symbols::FunctionGraph graph(std::vector<std::uint64_t> never_return = {}) const {
    return capture::symbols::FunctionGraph({{{kAddress, bytes()}}, std::move(never_return)});
  }

 private:
  MachineCode& reference(const std::string& to, int width) {
    references_.push_back({bytes_.size(), to, width});
    bytes_.append(static_cast<std::size_t>(width), '\0');
    return *this;
  }
  MachineCode& to_address(std::string_view opcode, std::uint64_t target) {
    hex(opcode);
    const auto distance = static_cast<std::uint32_t>(target - (kAddress + bytes_.size() + 4));
    for (int i = 0; i < 4; ++i) bytes_ += static_cast<char>(distance >> (8 * i));
    return *this;
  }

  struct Reference {
    std::size_t where;
    std::string to;
    int width;
  };
  std::string bytes_;
  std::map<std::string, std::size_t> labels_;
  std::vector<Reference> references_;
};

}  // namespace tailcap::testing
