#include "analyze/report/request/setup_text.h"

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {

std::string setup_text(const model::RequestDetail& d) {
  if (!d.setup) return {};
  const model::Setup& s = *d.setup;
  std::string text;
  const auto part = [&](const char* name, Duration length) {
    if (length.count() < 0) return false;
    text += (text.empty() ? "" : "; ") + std::string(name) + " " + duration_text(length);
    return true;
  };
  if (part("name", s.dns()))
    text += " (" + printable(d.dns_name) +
            (s.dns_attempts > 1 ? ", asked " + count_text(s.dns_attempts) + " times" : "") + ")";
  part("connect", s.connect());
  if (part("TLS handshake", s.tls())) {
    std::string details = model::tls_version(s.tls_version);
    if (s.tls_cipher != 0) details += ", " + model::tls_cipher(s.tls_cipher);
    if (s.tls_resumed) details += *s.tls_resumed ? ", resumed" : ", full";
    if (!d.server_name.empty()) details += ", for " + printable(d.server_name);
    if (!s.tls_exact) details += "; its end is inferred";
    text += " (" + details + ")";
  }
  if (text.empty()) return text;
  return text + "; begun " + duration_text(d.row.start - s.began()) +
         " before the request, and no part of its duration";
}

std::string setup_text(const model::RouteStudy& route) {
  std::string text;
  const auto part = [&](const char* name, const model::HeldUp& held) {
    if (held.count == 0) return;
    text += (text.empty() ? "" : "; ") + std::string(name) + " " + (held.count == 1 ? "" : "median ") +
            duration_text(held.median);
    if (held.count > 1) text += ", longest " + duration_text(held.longest);
    text += ", before " + count_text(held.count, "request", "requests");
  };
  part("name", route.dns);
  part("connect", route.connect);
  part("TLS handshake", route.tls_handshake);
  return text;
}

}  // namespace tailcap::report
