// A request with everything that it caused: its calls, the requests that served them, and their calls in turn.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/request.h"

namespace tailcap::report {

inline constexpr std::size_t kMaxTreeNodes = 10'000;
inline constexpr std::uint32_t kMaxTreeDepth = 64;

struct TreeNode {
  model::Request row;
  std::uint32_t depth = 0;
  const model::Cause* cause = nullptr;  // client-side: how it is known to be made by the node above
  std::uint64_t undecided = 0;  // server-side: calls of its process while it was under way whose cause is not known
};

struct CallTree {
  std::vector<TreeNode> nodes;           // in order of the text: each before what it caused, by start
  std::vector<model::ExchangeId> above;  // its parent and that one's parents, the topmost last
  std::uint64_t left_out = 0;            // requests beyond the limits
};

// The trees of a table, which must outlive it: they point into it.
class CallTrees {
 public:
  explicit CallTrees(const model::RequestTable& table);
  // Unset: there is no such request. TreeNode::undecided stays 0.
  std::optional<CallTree> tree(model::ExchangeId root) const;
  // Requests without a known parent, ordered by start.
  std::vector<model::ExchangeId> roots() const;

 private:
  using Place = std::pair<model::ExchangeId, std::uint32_t>;
  std::optional<std::uint32_t> place(model::ExchangeId id) const;
  std::vector<std::uint32_t> caused(const model::Request& row) const;
  std::optional<std::uint32_t> above(const model::Request& row) const;

  const model::RequestTable& table_;
  std::vector<Place> places_, calls_;  // by request; by parent
};

// The tree of one request, with undecided calls. Unset: there is no such request. The tree points into the table.
std::optional<CallTree> call_tree(const model::RequestTable& table, model::ExchangeId root);

// "shop serves GET /cart/216: 200"
std::string act_text(const model::RequestTable& table, const model::Request& row);
std::string text_tree(const CallTree& tree, const model::RequestTable& table, const std::string& file);
std::string json_tree(const CallTree& tree, const model::RequestTable& table);

// Traces by their topmost requests.
struct LongTrace {
  model::ExchangeId root;
  formats::Duration length{};
  std::uint32_t levels = 0;
};
struct LongTraces {
  std::uint64_t count = 0;         // that were meant
  std::vector<LongTrace> longest;  // of these
};
std::string json_traces(const LongTraces& traces);
std::string tree_schema();  // of both

}  // namespace tailcap::report
