#include "analyze/redact/rules/credentials.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "formats/mask/rules.h"

namespace tailcap::redact {

bool may_hold_credentials(std::string_view name) {
  static constexpr std::string_view kTelling[] = {"auth",      "cookie",  "token",    "secret", "passw",       "pwd",
                                                  "key",       "session", "sid",      "sig",    "cred",        "jwt",
                                                  "csrf",      "xsrf",    "otp",      "code",   "ticket",      "cert",
                                                  "assertion", "saml",    "location", "refer",  "command_line"};
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), formats::mask::lower);
  return std::any_of(std::begin(kTelling), std::end(kTelling),
                     [&](auto part) { return lower.find(part) != lower.npos; });
}

}  // namespace tailcap::redact
