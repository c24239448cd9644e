#include "analyze/views/policy/sampler.h"

#include <cmath>
#include <string>

#include "analyze/model/columns/whole_row.h"
#include "analyze/model/trace/trace_identity.h"
#include "ground/fnv.h"

namespace tailcap::policy {

using model::policy::PolicySampling;

// FNV-1a of 64 bits and the finalizer of MurmurHash3, of it the upper 53 bits. docs/policy.md promises this.
double place_of(std::string_view key) {
  std::uint64_t h = ground::fnv(key);
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
  h ^= h >> 33;
  return std::ldexp(static_cast<double>(h >> 11), -53);
}

Sampler::Sampler(const PolicySampling& sampling) : sampling_(sampling) {
  for (const auto& adaptation : sampling.adapt) routes_.emplace_back(adaptation.route);
  if (!sampling.keep.empty()) keep_.emplace(query::policy_filter(sampling.keep));
}

Decision Sampler::decide(const model::RequestTable& table, std::uint32_t i, const std::vector<bool>& firing) {
  const model::Request row = model::whole_row(table, i);
  Decision out;
  out.row = i;
  out.rate = sampling_.rate;
  for (std::size_t a = 0; a < routes_.size(); ++a)
    if (firing[sampling_.adapt[a].when] && routes_[a](row, table.texts)) {
      out.rate = sampling_.adapt[a].rate;
      break;
    }
  const bool by_request = sampling_.key == PolicySampling::Key::request_id && row.request_id != 0;
  out.kept = place_of(by_request ? std::string(table.texts[row.request_id])
                                 : model::trace_identity(table, row, 0, 0).trace_id) < out.rate;
  out.by_rule = keep_ && keep_->matches(model::columns::ColumnFacts(table, row));
  out.kept = out.kept || out.by_rule;
  return out;
}

}  // namespace tailcap::policy
