#include "analyze/redact/rules/fingerprint.h"

#include <openssl/evp.h>

#include <stdexcept>

#include "ground/text.h"

namespace tailcap::redact {

std::string fingerprint(std::string_view text, std::size_t digits) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), out, &size, EVP_sha256(), nullptr) != 1)
    throw std::runtime_error("libcrypto cannot compute SHA-256");
  return ground::hex_text({reinterpret_cast<const char*>(out), size}).substr(0, digits);
}

}  // namespace tailcap::redact
