// HMAC-SHA-256 with one key, for many short messages; of several threads, too.
#pragma once

#include <array>
#include <memory>
#include <string_view>

namespace tailcap::redact {

class KeyedDigest {
 public:
  explicit KeyedDigest(std::string_view key);
  ~KeyedDigest();
  KeyedDigest(const KeyedDigest&) = delete;
  KeyedDigest& operator=(const KeyedDigest&) = delete;

  std::array<unsigned char, 32> operator()(std::string_view message) const;

 private:
  struct States;
  std::unique_ptr<States> states_;
};

}  // namespace tailcap::redact
