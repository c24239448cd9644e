#include "capture/decrypt/cipher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tailcap::capture::decrypt {

namespace {

constexpr std::size_t kNonce = 12, kFixed = 4;

struct ContextFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }  // which wipes it
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, ContextFree>;

const EVP_CIPHER* whole(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::aes_128_gcm:
      return EVP_aes_128_gcm();
    case Algorithm::aes_256_gcm:
      return EVP_aes_256_gcm();
    case Algorithm::chacha20_poly1305:
      return EVP_chacha20_poly1305();
  }
  return nullptr;
}

// The stream cipher inside.
const EVP_CIPHER* stream(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::aes_128_gcm:
      return EVP_aes_128_ctr();
    case Algorithm::aes_256_gcm:
      return EVP_aes_256_ctr();
    case Algorithm::chacha20_poly1305:
      return EVP_chacha20();
  }
  return nullptr;
}

const unsigned char* octets(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

struct Cipher::Contexts {
  Context whole{EVP_CIPHER_CTX_new()}, stream;  // stream: once it is needed
  // The first four bytes of the nonce are those of all records, and are set.
  bool fixed = false;

  // A call of libcrypto costs as much as a hundred bytes; with GCM, one is enough for both.
  bool begin(std::array<unsigned char, kNonce>& nonce, std::array<unsigned char, kTag>& tag) {
    if (!fixed)
      return EVP_DecryptInit_ex(whole.get(), nullptr, nullptr, nullptr, nonce.data()) == 1 &&
             EVP_CIPHER_CTX_ctrl(whole.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, tag.data(), tag.size()),
        OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TLS1_SET_IV_INV, nonce.data() + kFixed,
                                          nonce.size() - kFixed),
        OSSL_PARAM_construct_end()};
    return EVP_CIPHER_CTX_set_params(whole.get(), parameters) == 1;
  }
};

Cipher::Cipher(const Suite& suite, const Keys& keys)
    : suite_(suite), keys_(keys), contexts_(std::make_unique<Contexts>()) {
  const bool good =
      keys.key.size() == suite.key_size() && contexts_->whole &&
      EVP_DecryptInit_ex(contexts_->whole.get(), whole(suite.algorithm), nullptr, keys.key.data(), nullptr) == 1;
  if (!good) {
    contexts_.reset();
    return;
  }
  contexts_->fixed =
      suite.algorithm != Algorithm::chacha20_poly1305 && keys.iv.size() >= kFixed &&
      EVP_CIPHER_CTX_ctrl(contexts_->whole.get(), EVP_CTRL_GCM_SET_IV_FIXED, kFixed, keys_.iv.data()) == 1;
}

Cipher::~Cipher() = default;

bool Cipher::nonce(std::uint64_t number, std::string_view begin, unsigned char* out) const {
  if (explicit_nonce() > 0) {
    if (begin.size() < 8) return false;
    std::memcpy(out, keys_.iv.data(), 4);
    std::memcpy(out + 4, begin.data(), 8);
    return true;
  }
  if (keys_.iv.size() != kNonce) return false;
  std::memcpy(out, keys_.iv.data(), kNonce);
  for (unsigned i = 0; i < 8; i++) out[4 + i] ^= static_cast<unsigned char>(number >> (56 - 8 * i));
  return true;
}

bool Cipher::open(std::uint64_t number, const std::array<char, 5>& header, std::string_view body, std::string& plain) {
  std::array<unsigned char, kNonce> iv{};
  plain.clear();
  const std::size_t front = explicit_nonce();
  if (!contexts_ || body.size() < front + kTag || !nonce(number, body, iv.data())) return false;
  const std::size_t size = body.size() - front - kTag;
  std::array<unsigned char, 13> more{};
  std::size_t more_size = 5;
  if (suite_.tls13) {
    std::copy_n(header.begin(), 5, more.begin());
  } else {
    for (unsigned i = 0; i < 8; i++) more[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
    std::copy_n(header.begin(), 3, more.begin() + 8);
    more[11] = static_cast<unsigned char>(size >> 8);
    more[12] = static_cast<unsigned char>(size);
    more_size = 13;
  }
  EVP_CIPHER_CTX* c = contexts_->whole.get();
  int n = 0;
  plain.resize(size + 1);
  auto* out = reinterpret_cast<unsigned char*>(plain.data());
  std::array<unsigned char, kTag> tag{};
  std::copy_n(octets(body) + front + size, kTag, tag.begin());
  const bool good = contexts_->begin(iv, tag) &&
                    EVP_DecryptUpdate(c, nullptr, &n, more.data(), static_cast<int>(more_size)) == 1 &&
                    EVP_DecryptUpdate(c, out, &n, octets(body) + front, static_cast<int>(size)) == 1 &&
                    EVP_DecryptFinal_ex(c, out + size, &n) == 1;
  plain.resize(good ? size : 0);
  return good;
}

bool Cipher::decrypt(std::uint64_t number, std::string_view begin, std::uint32_t offset, std::string_view bytes,
                     std::string& plain) {
  std::array<unsigned char, kNonce> iv{};
  if (!contexts_ || offset < explicit_nonce() || !nonce(number, begin, iv.data())) return false;
  const auto at = static_cast<std::uint32_t>(offset - explicit_nonce());
  const bool aes = suite_.algorithm != Algorithm::chacha20_poly1305;
  // The counter of the block, and how far its key stream is used up. Block 0 is the tag's; GCM counts it as 1.
  const std::uint32_t size = aes ? 16 : 64, block = at / size + (aes ? 2 : 1), skip = at % size;
  std::array<unsigned char, 16> counter{};
  for (unsigned i = 0; i < 4; i++) {
    if (aes)
      counter[12 + i] = static_cast<unsigned char>(block >> (24 - 8 * i));
    else
      counter[i] = static_cast<unsigned char>(block >> (8 * i));
  }
  std::copy(iv.begin(), iv.end(), counter.begin() + (aes ? 0 : 4));
  if (!contexts_->stream) {
    contexts_->stream.reset(EVP_CIPHER_CTX_new());
    if (EVP_DecryptInit_ex(contexts_->stream.get(), stream(suite_.algorithm), nullptr, keys_.key.data(), nullptr) != 1)
      contexts_.reset();
    if (!contexts_) return false;
  }
  EVP_CIPHER_CTX* c = contexts_->stream.get();
  std::array<unsigned char, 64> unused{};
  const std::size_t before = plain.size();
  plain.resize(before + bytes.size());
  int n = 0;
  const bool good =
      EVP_DecryptInit_ex(c, nullptr, nullptr, nullptr, counter.data()) == 1 &&
      (skip == 0 || EVP_DecryptUpdate(c, unused.data(), &n, unused.data(), static_cast<int>(skip)) == 1) &&
      EVP_DecryptUpdate(c, reinterpret_cast<unsigned char*>(plain.data() + before), &n, octets(bytes),
                        static_cast<int>(bytes.size())) == 1;
  wipe(unused.data(), unused.size());
  if (!good) plain.resize(before);
  return good;
}

}  // namespace tailcap::capture::decrypt
