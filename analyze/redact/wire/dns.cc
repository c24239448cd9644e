#include "analyze/redact/wire/dns.h"

#include <algorithm>

#include "formats/mask/names.h"

namespace tailcap::redact::wire {

bool redact_dns(std::string& message, const HeaderList& list) {
  formats::mask::NameRules rules;
  rules.label = [&](const std::string& label) { return label == "localhost" ? label : list.words(label); };
  if (list.strict()) {
    rules.address = [&](const std::string& bytes) {
      formats::Address a;
      std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(a.bytes.data()));
      a = list.names().address(a, bytes.size() == 16);
      return std::string(reinterpret_cast<const char*>(a.bytes.data()), bytes.size());
    };
  }
  return formats::mask::mask_names(message, rules);
}

}  // namespace tailcap::redact::wire
