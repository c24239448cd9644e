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
  return std::ldexp(static_cast<double>(ground::mixed(ground::fnv(key)) >> 11), -53);
}

Decision decided(const SamplePlace& place, double rate) {
  return {place.row, rate, place.place < rate || place.by_rule, place.by_rule};
}

Sampler::Sampler(const PolicySampling& sampling) : key_(sampling.key) {
  if (!sampling.keep.empty()) keep_.emplace(query::policy_filter(sampling.keep));
}

SamplePlace Sampler::place(const model::RequestTable& table, std::uint32_t i) const {
  const model::Request row = model::whole_row(table, i);
  const bool by_request = key_ == PolicySampling::Key::request_id && row.request_id != 0;
  SamplePlace out;
  out.row = i;
  out.place = place_of(by_request ? std::string(table.texts[row.request_id])
                                  : model::trace_identity(table, row, 0, 0).trace_id);
  out.by_rule = keep_ && keep_->matches(model::columns::ColumnFacts(table, row));
  return out;
}

}  // namespace tailcap::policy
