// What is kept of the values of header fields: the only place, for HTTP/1 and HTTP/2, heads and trailers.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/redact/rules/pseudonym.h"
#include "analyze/redact/rules/rules.h"
#include "ground/http_text.h"

namespace tailcap::redact::wire {

class HeaderList {
 public:
  // Is given each value and target that was judged: as it was, and what became of it.
  using Seen = std::function<void(std::string_view before, std::string_view after)>;

  HeaderList(const Policy& policy, Pseudonyms& names, Seen seen = {})
      : policy_(&policy), names_(&names), seen_(std::move(seen)) {}
  // `name` in lower case.
  Value of(std::string_view name) const { return policy_->header(name); }
  // Replaces what is not to be kept of a value, in place: by pseudonyms of the same length and Huffman length, or by
  // asterisks. whole: the text is the whole value. Not for targets.
  void judge(Value value, std::string& text, bool whole) const;
  std::string words(std::string_view text) const {
    return names_->text(text, policy_->strict() ? Words::none : Words::kept);
  }
  void saw(std::string_view before, std::string_view after) const {
    if (seen_) seen_(before, after);
  }
  bool strict() const { return policy_->strict(); }
  Pseudonyms& names() const { return *names_; }

 private:
  const Policy* policy_;
  Pseudonyms* names_;
  Seen seen_;
};

using ground::is_token;
using ground::lower;

}  // namespace tailcap::redact::wire
