#include "analyze/report/sections/tls_lines.h"

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kCausesShown = 5;

std::string tls_line(const model::TlsPeer& p) {
  std::string text = count_text(p.connections);
  if (p.role_known) {
    text += (p.role == model::Role::client ? " to " : " accepted at ") + printable(p.peer);
    if (!p.server_name.empty()) text += " (" + printable(p.server_name) + ")";
  } else {
    text += p.peer.empty() ? " open before the recording" : " with " + printable(p.peer);
  }
  if (p.version == "several")
    text += ", several versions of TLS";
  else if (!p.version.empty())
    text += ", " + p.version;
  text += ": ";
  if (p.done != 0) {
    text += count_text(p.done, "handshake", "handshakes") + " done";
    if (p.timed != 0) text += ", " + std::string(p.timed > 1 ? "median " : "") + duration_text(p.median);
    if (p.resumed != 0) text += ", " + count_text(p.resumed) + " resumed";
    text += "; ";
  }
  if (p.failed != 0) {
    text += count_text(p.failed) + " failed: ";
    for (std::size_t i = 0; i < p.failures.size() && i < kCausesShown; ++i)
      text += std::string(i == 0 ? "" : ", ") + count_text(p.failures[i].second) + " × " + p.failures[i].first;
    if (p.failures.size() > kCausesShown)
      text += ", and " + count_text(p.failures.size() - kCausesShown) + " more causes";
    text += "; ";
  }
  const std::uint64_t unknown = p.connections - std::min(p.connections, p.done + p.failed);
  if (unknown != 0 && p.role_known) text += count_text(unknown, "handshake", "handshakes") + " not seen to its end; ";
  text += bytes_text(p.bytes_in) + " in, " + bytes_text(p.bytes_out) + " out";
  if (p.encrypted == p.connections)
    text += "; requests unknown (encrypted)";
  else if (p.encrypted != 0)
    text += "; requests unknown on " + count_text(p.encrypted) + " of them (encrypted)";
  return text;
}

}  // namespace

std::vector<std::string> tls_lines(const model::Study& study) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < study.tls.size() && i < kTlsPeersShown; ++i) out.push_back(tls_line(study.tls[i]));
  if (study.tls.size() > kTlsPeersShown)
    out.push_back("and " + count_text(study.tls.size() - kTlsPeersShown) + " more peers; --json has them all");
  return out;
}

}  // namespace tailcap::report
