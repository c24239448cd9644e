// Groups requests by the value of a header field, such as x-tenant-id: each value has routes of its own.
//
// A request without the field takes the value of its parent: the value goes from a request to its calls, and from a
// call to its other end.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::tail {

inline constexpr std::size_t kMaxGroups = 100;  // values; those with fewer requests become "(other)"

class Groups {
 public:
  // field: its name, in any case; empty: no grouping.
  explicit Groups(std::string field) : field_(std::move(field)) {}
  void push(const model::Exchange& exchange, model::TextPool& texts);
  // Once, when routes, causes and other ends are known: "/cart/{}" becomes "/cart/{} [x-tenant-id: acme]".
  void settle(model::RequestTable& table) const;
  std::size_t size() const { return values_.size(); }  // requests that carry the field

 private:
  std::string field_;
  struct Hash {
    std::size_t operator()(model::ExchangeId id) const {
      return (std::size_t{id.connection} << 32 ^ id.index) * 0x9e3779b97f4a7c15u;
    }
  };
  std::unordered_map<model::ExchangeId, model::TextId, Hash> values_;
};

}  // namespace tailcap::tail
