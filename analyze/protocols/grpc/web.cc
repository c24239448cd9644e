#include "analyze/protocols/grpc/web.h"

#include <utility>

#include "analyze/protocols/grpc/call.h"

namespace tailcap::protocols::grpc {
namespace {

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Lines "name: value" until the first that is cut.
void add_fields(std::string_view text, model::Headers& to) {
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto colon = line.find(':');
    if (colon == line.npos || colon == 0) continue;
    std::string_view value = line.substr(colon + 1);
    while (value.starts_with(' ')) value.remove_prefix(1);
    to.add(line.substr(0, colon), value);
  }
}

}  // namespace

void WebBody::push(const model::ByteRun& run, std::uint64_t offset, std::uint64_t length, std::string_view bytes) {
  if (bytes.empty() && length > 0) unseen_ = true;
  if (!text_) return framing_.push(run, offset, length, bytes, facts_);
  if (unseen_) return framing_.lose(facts_);
  for (const char c : bytes) {
    const int value = sextet(c);
    if (c == '=' && digits_ + padding_ >= 2) {
      ++padding_;
    } else if (value < 0 || padding_ > 0) {
      return framing_.lose(facts_);
    } else {
      bits_ = bits_ << 6 | static_cast<unsigned>(value);
      if (++digits_ > 1) {
        const char byte = static_cast<char>(bits_ >> (8 - 2 * digits_) & 0xff);
        framing_.push(run, offset, 1, {&byte, 1}, facts_);
      }
    }
    if (digits_ + padding_ == 4) bits_ = digits_ = padding_ = 0;
    ++offset;
  }
}

void WebBody::finish(model::Message& m) {
  framing_.finish(facts_);
  m.protocol = model::Protocol::grpc_web;
  if (m.kind == model::MessageKind::request) {
    read_request(m, facts_);
  } else {
    add_fields(framing_.trailers(), m.trailers);
    const bool behind = m.trailers.find("grpc-status").has_value();
    read_status(behind ? m.trailers : m.headers, facts_);
    // Every call that was answered ends with a status.
    if (!facts_.status && m.status == 200 && m.ending == model::Ending::complete &&
        !model::has(m.taints, model::Taint::bytes_lost))
      m.taints = m.taints | (unseen_ ? model::Taint::payload_cut : model::Taint::malformed);
    facts_.trailers_only = !behind && facts_.status && facts_.messages == 0 && m.ending == model::Ending::complete;
  }
  m.grpc = std::move(facts_);
}

}  // namespace tailcap::protocols::grpc
