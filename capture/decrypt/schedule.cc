#include "capture/decrypt/schedule.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <array>
#include <memory>

namespace tailcap::capture::decrypt {

namespace {

struct KdfFree {
  void operator()(EVP_KDF* kdf) const { EVP_KDF_free(kdf); }
  void operator()(EVP_KDF_CTX* context) const { EVP_KDF_CTX_free(context); }
};

constexpr std::array<std::pair<std::uint16_t, Suite>, 16> kSuites = {{
    {0x1301, {Algorithm::aes_128_gcm, false, true}},
    {0x1302, {Algorithm::aes_256_gcm, true, true}},
    {0x1303, {Algorithm::chacha20_poly1305, false, true}},
    {0x009c, {Algorithm::aes_128_gcm, false, false}},
    {0x009d, {Algorithm::aes_256_gcm, true, false}},
    {0x009e, {Algorithm::aes_128_gcm, false, false}},
    {0x009f, {Algorithm::aes_256_gcm, true, false}},
    {0xc02b, {Algorithm::aes_128_gcm, false, false}},
    {0xc02c, {Algorithm::aes_256_gcm, true, false}},
    {0xc02f, {Algorithm::aes_128_gcm, false, false}},
    {0xc030, {Algorithm::aes_256_gcm, true, false}},
    {0xcca8, {Algorithm::chacha20_poly1305, false, false}},
    {0xcca9, {Algorithm::chacha20_poly1305, false, false}},
    {0xccaa, {Algorithm::chacha20_poly1305, false, false}},
    {0x00a2, {Algorithm::aes_128_gcm, false, false}},
    {0x00a3, {Algorithm::aes_256_gcm, true, false}},
}};

const EVP_MD* digest_of(bool sha384) { return sha384 ? EVP_sha384() : EVP_sha256(); }

bool mac(bool sha384, std::string_view key, std::string_view bytes, unsigned char* out) {
  unsigned size = 0;
  return HMAC(digest_of(sha384), key.data(), static_cast<int>(key.size()),
              reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out, &size) != nullptr;
}

}  // namespace

void wipe(void* memory, std::size_t size) { OPENSSL_cleanse(memory, size); }

std::optional<Suite> suite_of(std::uint16_t number) {
  const auto found = std::find_if(kSuites.begin(), kSuites.end(), [&](const auto& s) { return s.first == number; });
  return found == kSuites.end() ? std::nullopt : std::optional(found->second);
}

std::string hash(bool sha384, std::string_view bytes) {
  std::string out(EVP_MAX_MD_SIZE, '\0');
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &size, digest_of(sha384),
                 nullptr) != 1)
    return {};
  out.resize(size);
  return out;
}

// HKDF-Expand of at most one block, which all secrets of TLS 1.3 are.
Secret expand_label(const Suite& suite, const Secret& secret, std::string_view label, std::string_view context,
                    std::size_t size) {
  std::string info;
  info += static_cast<char>(size >> 8);
  info += static_cast<char>(size);
  info += static_cast<char>(label.size() + 6);
  info += "tls13 ";
  info += label;
  info += static_cast<char>(context.size());
  info += context;
  info += '\1';
  Secret out;
  if (secret.empty() || size > suite.hash_size() || !mac(suite.sha384, secret.view(), info, out.data())) return {};
  out.resize(size);
  return out;
}

Secret master_of(const Suite& suite, const Secret& handshake) {
  const Secret salt = expand_label(suite, handshake, "derived", hash(suite.sha384, {}), suite.hash_size());
  Secret out;
  if (salt.empty() || !mac(suite.sha384, salt.view(), std::string(suite.hash_size(), '\0'), out.data())) return {};
  out.resize(suite.hash_size());
  return out;
}

Keys traffic_keys(const Suite& suite, const Secret& traffic) {
  return {expand_label(suite, traffic, "key", {}, suite.key_size()), expand_label(suite, traffic, "iv", {}, 12)};
}

Keys expanded_keys(const Suite& suite, const Secret& master, std::string_view randoms, bool of_client) {
  const std::unique_ptr<EVP_KDF, KdfFree> kdf(EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, KdfFree> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!context || master.empty()) return {};
  char digest[] = "SHA256", digest384[] = "SHA384", label[] = "key expansion";
  Secret secret = master;
  std::string seed(randoms);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, suite.sha384 ? digest384 : digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof label - 1),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed.data(), seed.size()), OSSL_PARAM_construct_end()};
  // The client's key, the server's, the client's IV, the server's: AEAD suites have no other keys.
  const std::size_t key = suite.key_size(), iv = suite.algorithm == Algorithm::chacha20_poly1305 ? 12 : 4;
  std::array<unsigned char, 88> block{};
  Keys out;
  if (EVP_KDF_derive(context.get(), block.data(), 2 * key + 2 * iv, parameters) == 1) {
    const char* at = reinterpret_cast<const char*>(block.data());
    out.key = Secret({at + (of_client ? 0 : key), key});
    out.iv = Secret({at + 2 * key + (of_client ? 0 : iv), iv});
  }
  wipe(block.data(), block.size());
  return out;
}

}  // namespace tailcap::capture::decrypt
