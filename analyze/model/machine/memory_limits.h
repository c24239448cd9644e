// Cgroups whose memory limit was reached, by second.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

class MemoryLimits {
 public:
  static constexpr std::size_t kMaxCgroups = 1024, kMaxReadings = 1u << 16;

  struct User {
    std::uint32_t pid = 0;
    std::uint64_t bytes = 0;
    bool operator==(const User&) const = default;
  };
  // A limit that was reached while something waited.
  struct Pressure {
    std::string cgroup;
    std::uint64_t limit = 0;
    std::uint64_t reached = 0;  // how often, in the seconds in question
    std::vector<User> users;    // who had most memory of its own at the last of them, most first
  };

  // A cgroup's limit, as the recorder reads it.
  struct Limit {
    std::string cgroup;
    std::uint64_t limit = 0, used = 0, reached = 0;  // bytes; how often it was reached so far
    std::vector<User> users;
  };
  // note: the value of a note that the recorder wrote (ground::kMemoryNote). Empty: it is no such value.
  static std::optional<Limit> parse(std::string_view note);
  // Likewise; other values are ignored.
  void push(formats::Time at, std::string_view note);
  // The cgroup that reached its limit most often in the seconds that these intervals touch. Unset: none did.
  using Interval = std::pair<std::int64_t, std::int64_t>;  // [from, to), ns
  std::optional<Pressure> over(std::span<const Interval> of) const;

 private:
  struct Reading {
    std::int64_t at = 0;
    std::uint64_t limit = 0, reached = 0;
    std::vector<User> users;
  };
  std::map<std::string, std::vector<Reading>> cgroups_;
  std::size_t readings_ = 0;
};

}  // namespace tailcap::model
