// The records of one direction of a connection under one key: decrypted as a whole, which proves that the key and the
// record's number are right, or in part, which proves nothing.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "capture/decrypt/schedule.h"

namespace tailcap::capture::decrypt {

class Cipher {
 public:
  Cipher(const Suite& suite, const Keys& keys);
  ~Cipher();
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  static constexpr std::size_t kTag = 16;
  std::size_t explicit_nonce() const { return suite_.tls13 || keys_.iv.size() != 4 ? 0 : 8; }

  // body: all bytes behind the record's header. False: this is not record `number` under this key.
  bool open(std::uint64_t number, const std::array<char, 5>& header, std::string_view body, std::string& plain);
  // bytes: of the body, from `offset` on, at least explicit_nonce(), not reaching into the tag. begin: the body's first
  // bytes, where there is an explicit nonce. Appends to plain.
  bool decrypt(std::uint64_t number, std::string_view begin, std::uint32_t offset, std::string_view bytes,
               std::string& plain);

 private:
  struct Contexts;
  bool nonce(std::uint64_t number, std::string_view begin, unsigned char* out) const;

  Suite suite_;
  Keys keys_;
  std::unique_ptr<Contexts> contexts_;
};

}  // namespace tailcap::capture::decrypt
