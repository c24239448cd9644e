#include "analyze/protocols/grpc/framing.h"

#include <algorithm>
#include <cstring>

#include "analyze/protocols/input/cursor.h"

namespace tailcap::protocols::grpc {
namespace {

constexpr std::uint32_t kPrefix = 5;

}  // namespace

void GrpcFraming::first(const model::ByteRun& run, std::uint64_t offset) {
  message_ = {};
  message_.first_arrived = arrival_of(run, offset);
  message_.first_done = run.done;
}

void GrpcFraming::last(const model::ByteRun& run, std::uint64_t offset, model::GrpcFacts& facts) {
  prefix_have_ = 0;
  if (in_trailers_) return;
  message_.last_arrived = arrival_of(run, offset);
  message_.last_done = run.done;
  ++facts.messages;
  facts.compressed += message_.compressed;
  facts.bytes += kPrefix + std::uint64_t{message_.length};
  if (facts.listed.size() < model::GrpcFacts::kMaxListed) facts.listed.push_back(message_);
}

void GrpcFraming::take_trailers(std::string_view bytes) {
  if (bytes.empty() || trailers_.size() + bytes.size() > kMaxTrailers) trailers_cut_ = true;
  if (!trailers_cut_) trailers_.append(bytes);
}

void GrpcFraming::lose(model::GrpcFacts& facts) {
  lost_ = true;
  facts.exact = false;
}

void GrpcFraming::push(const model::ByteRun& run, std::uint64_t offset, std::uint64_t length, std::string_view bytes,
                       model::GrpcFacts& facts) {
  const bool known = !bytes.empty();
  while (length > 0 && !lost_) {
    std::uint64_t n = 0;
    if (prefix_have_ < kPrefix) {
      if (!known) return lose(facts);
      n = std::min<std::uint64_t>(kPrefix - prefix_have_, length);
      if (prefix_have_ == 0) first(run, offset);
      std::memcpy(prefix_ + prefix_have_, bytes.data(), n);
      prefix_have_ += static_cast<std::uint32_t>(n);
      if (prefix_have_ == kPrefix) {
        const auto octet = [this](int i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(prefix_[i])); };
        in_trailers_ = web_ && (octet(0) & 0x80) != 0;
        if ((in_trailers_ ? octet(0) & 0x7f : octet(0)) > 1)
          return lose(facts);                              // no flag of gRPC: not what it says it is
        trailers_cut_ = in_trailers_ && octet(0) == 0x81;  // compressed
        message_.compressed = octet(0) == 1;
        message_.length = octet(1) << 24 | octet(2) << 16 | octet(3) << 8 | octet(4);
        left_ = message_.length;
        if (left_ == 0) last(run, offset + n - 1, facts);
      }
    } else {
      n = std::min(left_, length);
      left_ -= n;
      if (in_trailers_) take_trailers(bytes.substr(0, n));
      if (left_ == 0) last(run, offset + n - 1, facts);
    }
    offset += n;
    length -= n;
    if (known) bytes.remove_prefix(n);
  }
}

void GrpcFraming::finish(model::GrpcFacts& facts) {
  if (!lost_ && prefix_have_ > 0) facts.broken_off = true;
}

}  // namespace tailcap::protocols::grpc
