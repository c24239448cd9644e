#include "analyze/redact/rules/fingerprint.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace tailcap::redact {

std::string fingerprint(std::string_view text, std::size_t digits) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("libcrypto cannot compute SHA-256");
  std::string hexadecimal;
  for (unsigned i = 0; i < size; ++i) {
    hexadecimal += "0123456789abcdef"[out[i] >> 4];
    hexadecimal += "0123456789abcdef"[out[i] & 15];
  }
  return hexadecimal.substr(0, digits);
}

}  // namespace tailcap::redact
