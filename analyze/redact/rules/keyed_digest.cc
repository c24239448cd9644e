// The functions of EVP allocate memory for every message, and count references that all threads share: with those of
// SHA-256 itself, which OpenSSL 3 calls deprecated, a message of 100 bytes takes half the time.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "analyze/redact/rules/keyed_digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <stdexcept>

namespace tailcap::redact {
namespace {

constexpr std::size_t kBlock = 64;

void check(int result) {
  if (result != 1) throw std::runtime_error("libcrypto cannot compute an HMAC");
}

}  // namespace

// The digests of the key's two blocks (RFC 2104).
struct KeyedDigest::States {
  SHA256_CTX inner, outer;
};

KeyedDigest::KeyedDigest(std::string_view key) : states_(std::make_unique<States>()) {
  std::array<unsigned char, kBlock> block{};
  if (key.size() > kBlock)
    SHA256(reinterpret_cast<const unsigned char*>(key.data()), key.size(), block.data());
  else
    std::copy(key.begin(), key.end(), block.begin());
  const auto begin = [&](SHA256_CTX& state, unsigned char pad) {
    auto padded = block;
    for (auto& byte : padded) byte ^= pad;
    check(SHA256_Init(&state));
    check(SHA256_Update(&state, padded.data(), padded.size()));
  };
  begin(states_->inner, 0x36);
  begin(states_->outer, 0x5c);
}

KeyedDigest::~KeyedDigest() { OPENSSL_cleanse(states_.get(), sizeof *states_); }

std::array<unsigned char, 32> KeyedDigest::operator()(std::string_view message) const {
  std::array<unsigned char, 32> out;
  SHA256_CTX state = states_->inner;
  check(SHA256_Update(&state, message.data(), message.size()));
  check(SHA256_Final(out.data(), &state));
  state = states_->outer;
  check(SHA256_Update(&state, out.data(), out.size()));
  check(SHA256_Final(out.data(), &state));
  return out;
}

}  // namespace tailcap::redact
