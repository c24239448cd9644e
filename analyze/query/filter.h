// The expression language of --where: which requests are meant.
//
//   status == 5xx && duration > 20ms         path contains "/cart" or not complete
//
// Fields have the names of `tailcap requests --json` (model/columns). An unknown value makes every comparison false,
// except with null.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/columns/facts.h"

namespace tailcap::query {

// what() is the message with the expression and a caret below the place. A usage error.
class FilterError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Filter {
 public:
  // Throws FilterError.
  explicit Filter(std::string_view expression);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  bool matches(const model::columns::ColumnFacts& facts) const;
  // What it asks for beside the row and the table: bits of columns::Need.
  unsigned needs() const;
  bool needs_account() const;  // of these: labels, so that Request::account must be set
  // "'request_id' is now 'x_request_id'": what it calls by a name that goes.
  std::vector<std::string> old_names() const;
  // Throws FilterError where it asks for one of these needs; `why` is the message.
  void refuse(unsigned needs, const std::string& why) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// As Filter(), for a policy: it is also a FilterError to ask about what a policy does not know of a request.
Filter policy_filter(std::string_view expression);

}  // namespace tailcap::query
