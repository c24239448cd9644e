// What calls say that requests said: parts of the path and of the query, the request id, the whole target where a proxy
// passes it on.
//
// A call is compared with the requests under way when it was made. What it says counts as the words of its target and
// request id; a request covers those that it says, too, as a whole part: "r3-5" covers two of the three words of
// "/leaf/r3-5.0". The one that covers all that others cover, and more, is meant; by words that few requests of the
// process say, or by its whole target. Masked values say nothing.
//
// Calls of one kind (method, authority and shape of the path) are looked at together: where most of them say what one
// request says, one that says nothing of the sort is no request's, or of one that is not known.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/causes/note.h"

namespace tailcap::causes {

class Likeness {
 public:
  static constexpr std::size_t kMaxLive =
      512;  // requests under way that a call is compared with; a call with more is not compared

  struct Found {
    std::int64_t server = -1;          // the only one that is meant; -1: none, or several
    bool rare = false;                 // nothing like it was said by another request of the process
    std::vector<std::uint32_t> equal;  // several with the call's target, ascending
  };

  Likeness(const Process& process, const model::TextPool& texts) : process_(process), texts_(texts) {}
  // When the exchanges are in order of their beginning.
  void index();
  Found of(std::uint32_t client) const;
  // The kind of a call, as a number. 0: not known.
  std::uint64_t kind_of(std::uint32_t client) const { return calls_[client].kind; }
  // Most calls of its kind say what one request under way says.
  bool related(std::uint32_t client) const;
  // … and no request made two of this kind.
  bool one_each(std::uint32_t client) const;

 private:
  enum Passed : std::size_t { authority, agent, size, kPassed };  // what proxies pass on beside the target
  struct Call {
    std::uint64_t kind = 0;
    std::int64_t server = -1;
    bool rare = false;
    std::vector<std::uint32_t> equal;
  };
  struct Kind {
    std::size_t calls = 0, told = 0;          // made while a request was under way; those whose request was found
    std::size_t whole = 0;                    // … by the whole target
    std::array<std::size_t, kPassed> same{};  // … and the same of these
    std::size_t most = 0;                     // calls for one request
  };
  using Words = std::uint64_t;  // a bit for each word of a call
  struct Said {
    std::vector<std::pair<std::uint64_t, Words>> parts;  // ascending
    Words all = 0;
  };

  std::vector<std::uint64_t> parts_of(const Note& note) const;
  Said said_by(const Note& call) const;
  std::uint64_t whole_of(const Note& note) const;
  std::uint64_t kind_number(const Note& note) const;
  void compare(const Note& call, const std::vector<std::uint32_t>& live, Call& out) const;
  bool informative(std::uint64_t part) const;
  static bool same(Passed what, const Note& a, const Note& b);

  const Process& process_;
  const model::TextPool& texts_;
  std::vector<std::vector<std::uint64_t>> parts_;  // of each server
  std::vector<std::uint64_t> wholes_;
  std::unordered_map<std::uint64_t, std::uint32_t> times_;  // how many servers say it
  std::vector<Call> calls_;
  std::unordered_map<std::uint64_t, Kind> kinds_;
};

}  // namespace tailcap::causes
