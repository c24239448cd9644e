// The rules of redaction for what the machines of formats/mask have understood: the only place, for HTTP/1 and HTTP/2,
// heads and trailers, and hellos of TLS.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/redact/rules/pseudonym.h"
#include "analyze/redact/rules/rules.h"
#include "formats/mask/rules.h"

namespace tailcap::redact::wire {

using formats::mask::Extent;
using formats::mask::Kept;

class HeaderList final : public formats::mask::Rules {
 public:
  // Is given each value and target that was judged: as it was, and what became of it.
  using Seen = std::function<void(std::string_view before, std::string_view after)>;

  HeaderList(const RedactionPolicy& policy, Pseudonyms& names, Seen seen = {})
      : policy_(&policy), names_(&names), seen_(std::move(seen)) {}
  Value of(std::string_view name) const override { return policy_->header(name); }
  bool begins_name(std::string_view begin) const override { return policy_->begins_header(begin); }
  bool keeps_names() const override { return !policy_->strict(); }
  bool keeps_name(std::string_view name) const override { return !policy_->strict() || policy_->knows_header(name); }
  bool keeps_method(std::string_view method) const override;
  // By pseudonyms of the same length and Huffman length where the value was not begun before, or by asterisks:
  // - id: kept if it is a number as traces and requests have, otherwise a pseudonym;
  // - number: kept if it consists of digits;
  // - words: kept if all of its words are on a list;
  // - type: a media type, without its parameters;
  // - target: words of path segments and keys of the query, no values (target.h).
  bool judge(Value value, std::string& text, const Extent& extent) const override;
  Kept statements() const override { return calls(); }
  Kept keys() const override { return calls(); }
  bool reads_masked() const override { return true; }
  bool keeps_reasons() const override { return false; }
  bool keeps_hellos() const override { return false; }
  void hello(std::string& body, bool client) const override;
  std::string words(std::string_view text) const {
    return names_->text(text, policy_->strict() ? Words::none : Words::kept);
  }
  void saw(std::string_view before, std::string_view after) const {
    if (seen_) seen_(before, after);
  }
  bool keeps_query(std::string_view key) const { return policy_->keeps_query(key); }
  bool strict() const { return policy_->strict(); }
  Pseudonyms& names() const { return *names_; }

 private:
  Kept calls() const { return strict() ? Kept::nothing : Kept::shape; }

  const RedactionPolicy* policy_;
  Pseudonyms* names_;
  Seen seen_;
};

}  // namespace tailcap::redact::wire
