// Replaces the time in which a request waited for somebody by what they did meanwhile, and so on.
//
// A call is looked through to the request that its server made of it, a busy event loop or worker to what its thread
// did, a lock to what the thread did that released it. Times add up exactly.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "analyze/model/chain.h"
#include "analyze/partition/drafted.h"

namespace tailcap::partition {

class LookThrough {
 public:
  static constexpr Nanos kLeast = 100'000;  // shorter stretches are left as they are
  static constexpr std::size_t kSteps = 5;
  static constexpr std::size_t kMaxChains = 16;  // of a request, those with the most time

  explicit LookThrough(const DraftContext& k) : k_(k) {}
  // pieces: the request's partition. Most time first; empty: it waited for no other request.
  std::vector<model::Chain> chains_of(const Draft& draft, std::span<const Condition> pieces);

 private:
  // What makes steps one: requests of the same route are.
  struct Key {
    model::Label label = model::Label::unexplained_nocarrier;
    std::uint64_t what = 0;
    std::uint32_t tid = 0;
    model::TextId method = 0, route = 0;
    bool operator==(const Key&) const = default;
  };
  void expand(const Condition& piece, const Draft& draft);
  void meanwhile(const Condition& piece, std::span<const Condition> theirs, const Draft& their);
  void session(const Condition& piece, std::uint32_t tid, std::uint32_t row);
  void idle(Nanos from, Nanos to, model::ConnectionId connection, std::optional<std::uint32_t> next);
  void leaf(Nanos time, bool beyond);
  const Drafted* request(std::uint32_t row);
  model::TextId method_of(std::uint32_t row);

  DraftContext k_;
  std::vector<model::Culprit> path_;
  std::vector<Key> keys_;            // of path_
  std::vector<std::uint32_t> rows_;  // of the requests in path_, so that none is entered twice
  std::vector<model::Chain> found_;
  std::vector<std::vector<Key>> found_keys_;
  std::deque<std::pair<std::uint32_t, Drafted>> requests_;    // looked through before
  std::unordered_map<std::uint32_t, model::TextId> methods_;  // by row
  std::size_t depth_ = 0, budget_ = 0;
};

}  // namespace tailcap::partition
