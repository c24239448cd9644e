// The expression language of --where: which requests are meant.
//
//   status == 5xx && duration > 20ms         path contains "/cart" or not complete
//
// Fields have the names of `tailcap requests --json`. An unknown value makes every comparison false, except with null.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "analyze/model/request.h"

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
  bool matches(const model::Request& row, const model::TextPool& texts) const;
  bool needs_account() const;  // it asks for labels: Request::account must be set

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::query
