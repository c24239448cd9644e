// What somebody wants of resource attributes, as a file says it: a line is an action, '#' begins a comment.
//
//   insert service.namespace = shop                          where there is none
//   set service.name = cart where process.executable.name = python3
//   copy service.namespace from k8s.namespace.name           where that is there, and the first is not
//   delete tailcap.boot_id
//
// Applied in order. A value may stand in double quotes. On span attributes: "span" before the action.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/trace/span.h"

namespace tailcap::spans {

class AttributeRules {
 public:
  static constexpr std::size_t kMaxRules = 1000;

  AttributeRules() = default;
  // Throws std::runtime_error: which line of `name`, and what is wrong with it.
  AttributeRules(std::string_view text, const std::string& name);
  void apply(model::SpanResource& resource) const;
  std::size_t size() const { return rules_.size(); }

 private:
  enum class Action { insert, set, copy, remove };
  struct Rule {
    Action action = Action::insert;
    bool of_span = false;
    std::string key, value;  // copy: the key it is from
    std::string where_key, where_value;
  };
  static void apply(const Rule& rule, model::Attributes& attributes);
  std::vector<Rule> rules_;
};

}  // namespace tailcap::spans
