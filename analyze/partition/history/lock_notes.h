// Which locks have names: as the recorder says, where no other process waits at the same address.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "analyze/model/partition.h"

namespace tailcap::partition {

class LockNotes {
 public:
  static constexpr std::size_t kMaxAddresses = 64u << 10;  // at which threads wait; with more no lock has a name
  static constexpr std::size_t kMaxNames = 16u << 10;

  void waited(std::uint32_t pid, std::uint64_t address);
  // "7f001234 cart_mutex", a note of the recorder.
  void named(std::uint32_t pid, std::string_view note);
  model::LockNames all() const;

 private:
  struct Name {
    std::string text;
    bool doubtful = false;  // it has several
  };
  static constexpr std::uint32_t kSeveral = UINT32_MAX;
  std::unordered_map<std::uint64_t, std::uint32_t> process_at_;  // kSeveral: more than one waits there
  std::map<std::pair<std::uint32_t, std::uint64_t>, Name> names_;
};

}  // namespace tailcap::partition
