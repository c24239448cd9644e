// What the kernel program says of functions of scripts (bpf/event_script.h): their names, as written in stacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <unordered_map>

#include "capture/stacks/scripts/language.h"

namespace tailcap::capture::stacks {

class ScriptCodes {
 public:
  // Twice as many as the kernel program remembers to have sent, so that what it does not send again is here.
  static constexpr std::size_t kMaxCodes = std::size_t{2} * 32768;

  bool take(std::span<const std::byte> record);  // false: it is not valid
  // Tables of lines of all functions; the oldest functions go first where they are more.
  static constexpr std::size_t kMaxTables = std::size_t{16} << 20;

  // "render_invoice (svc.py:5)"; empty: a step of the interpreter itself; null: not known. Valid until the next call of
  // take().
  const std::string* name(std::uint64_t code);
  // "svc.py:7": the line of a place, as the kernel program says where a frame is (1: at the first byte). Empty: not
  // known.
  std::string line(std::uint64_t code, std::uint64_t place) const;
  std::size_t size() const { return codes_.size(); }

 private:
  struct Known {
    std::uint64_t code = 0;
    std::string name;
    const ScriptLanguage* language = nullptr;
    ScriptText file;
    std::uint32_t first_line = 0;
    bpf::script_lines form{};
    std::uint32_t code_bytes = 0;
    std::string table;  // empty: none
  };
  using Order = std::list<Known>;  // those used last are first

  void forget(Order::iterator known);

  Order order_;
  std::size_t tables_ = 0;  // bytes
  std::unordered_map<std::uint64_t, Order::iterator> codes_;
};

}  // namespace tailcap::capture::stacks
