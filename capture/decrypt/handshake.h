// The messages of a handshake in order, of one direction: how records cut them does not matter. And what both hellos
// say that a reader of the connection needs.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "capture/decrypt/schedule.h"

namespace tailcap::capture::decrypt {

enum MessageType : std::uint8_t {
  kClientHello = 1,
  kServerHello = 2,
  kEncryptedExtensions = 8,
  kFinished = 20,
  kKeyUpdate = 24
};

// Cuts a stream of handshake bytes into messages.
class Messages {
 public:
  static constexpr std::size_t kMost = 1u << 17;  // of one message: a chain of certificates; longer ones fail

  // message: with its header of four bytes. False: it is longer than kMost.
  using Take = std::function<void(std::uint8_t type, std::string_view message)>;
  bool feed(std::string_view bytes, const Take& take);
  std::size_t memory() const { return bytes_.capacity(); }

 private:
  std::string bytes_;
};

// The server takes the data that the client sent before the handshake was over.
bool accepts_early_data(std::string_view encrypted_extensions);

class Hellos {
 public:
  void client(std::string_view message);
  void server(std::string_view message);

  bool complete() const { return complete_; }
  bool readable() const { return suite_.has_value(); }  // a version and a suite that can be read
  bool tls13() const { return suite_ && suite_->tls13; }
  bool version13() const { return version13_; }  // whether or not its suite can be read
  const Suite& suite() const { return *suite_; }
  // TLS 1.3: of everything up to the server's hello; empty where the suite's hash function is not known.
  const std::string& hash() const { return hash_; }
  std::string randoms() const { return server_random_ + client_random_; }
  const std::string& client_random() const { return client_random_; }
  std::size_t memory() const { return transcript_.capacity(); }
  void forget() { transcript_ = {}; }

 private:
  std::string transcript_, client_random_, server_random_, hash_;
  std::optional<Suite> suite_;
  bool retried_ = false, complete_ = false, version13_ = false;
};

}  // namespace tailcap::capture::decrypt
