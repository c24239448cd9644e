// What all policies together say of a connection. docs/audit.md has the same rules in words.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/audit/matching.h"

namespace tailcap::audit {

struct Judgement {
  model::audit::ConnectionVerdict verdict = model::audit::ConnectionVerdict::unknown;
  model::audit::MissingSet missing = 0;                    // of an unknown verdict
  std::vector<std::size_t> selects, allows, denies, open;  // policies; open: what they say is not known
  std::vector<std::pair<std::size_t, std::size_t>> rules;  // policy and rule that match
  std::vector<std::size_t> by_default;                     // allow-lists that allow it by their default
  bool by_ingress = false;  // denied by what judges the end that accepts, and by it alone
};

class Judge {
 public:
  Judge(const std::vector<model::audit::NetworkPolicy>& policies, const model::audit::Pods& pods,
        model::audit::ConnectionVerdict otherwise)
      : policies_(policies), matching_(pods), otherwise_(otherwise) {}

  Judgement judge(const Who& client, const Who& server, std::uint16_t port) const;
  // Where it is not known which end made the connection. port: that of the first end.
  Judgement undirected(const Who& one, std::uint16_t port, const Who& other, std::uint16_t other_port) const;

 private:
  // What one side may come to.
  struct Outcomes {
    bool allowed = false, denied = false, unselected = true;
  };
  struct Side;
  Outcomes lists(Side& side, Judgement& out) const;
  Outcomes pods(Side& side, bool ingress, Judgement& out) const;

  const std::vector<model::audit::NetworkPolicy>& policies_;
  Matching matching_;
  model::audit::ConnectionVerdict otherwise_;
};

}  // namespace tailcap::audit
