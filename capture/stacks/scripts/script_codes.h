// What the kernel program says of functions of scripts (bpf/event_script.h): their names, as written in stacks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>

namespace tailcap::capture::stacks {

class ScriptCodes {
 public:
  // Twice as many as the kernel program remembers to have sent, so that what it does not send again is here.
  static constexpr std::size_t kMaxCodes = std::size_t{2} * 32768;

  bool take(std::span<const std::byte> record);  // false: it is not valid
  // "render_invoice (svc.py:5)"; empty: a step of the interpreter itself; null: not known. Valid until the next call of
  // take().
  const std::string* name(std::uint64_t code);
  std::size_t size() const { return codes_.size(); }

 private:
  using Order = std::list<std::pair<std::uint64_t, std::string>>;  // those used last are first
  Order order_;
  std::unordered_map<std::uint64_t, Order::iterator> codes_;
};

}  // namespace tailcap::capture::stacks
