// The stacks with which threads switched out to wait, looked up by off-CPU interval.
//
// A stack may be before or after its interval in the capture, so all are collected first.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "formats/event_names.h"
#include "formats/sample.h"
#include "formats/time.h"

namespace tailcap::flame {

class LeftStacks {
 public:
  void push(const formats::Event& event);
  bool empty() const { return waits_.empty(); }
  std::uint64_t left_out() const { return left_out_; }  // stacks of waits beyond what is kept
  // The stack of the thread's off-CPU interval that began then. Valid until the next push().
  std::optional<formats::Sample> of(std::uint32_t tid, formats::Time left) const;

 private:
  using Texts = std::array<std::string, 3>;  // of the program, of the kernel, lines
  struct Wait {
    std::uint32_t thread = 0;
    std::int64_t left = 0;
    bool operator==(const Wait&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Wait& w) const { return std::hash<std::int64_t>{}(w.left * 31 + w.thread); }
  };

  std::map<Texts, std::uint32_t> known_;
  std::vector<const Texts*> stacks_;
  std::unordered_map<Wait, std::uint32_t, Hash> waits_;
  std::uint64_t left_out_ = 0;
};

}  // namespace tailcap::flame
