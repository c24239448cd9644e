// Two ends of OpenSSL in memory, whose connection is seen as the kernel programs see a server's socket, and whose key
// derivations are seen as the probe sees them. What the ends wrote is the truth.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "capture/decrypt/decryptor.h"

namespace tailcap::capture::decrypt {

struct SslFree {
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL_SESSION* p) const { SSL_SESSION_free(p); }
};
using Ssl = std::unique_ptr<SSL, SslFree>;
using SslContext = std::unique_ptr<SSL_CTX, SslFree>;
using SslSession = std::unique_ptr<SSL_SESSION, SslFree>;

// Both with this version and these ciphers; the server with a certificate of its own.
struct Contexts {
  explicit Contexts(int version = TLS1_3_VERSION, const char* ciphers = nullptr);
  SslContext client, server;
};

// One derivation, as bpf/tls/secret.bpf.c emits it.
using Derivation = std::vector<std::byte>;

class Talk {
 public:
  static constexpr std::uint32_t kPid = 10;
  static constexpr formats::SocketId kSocket = 77;

  // session: to be resumed; null: none. other: as of the decryptor.
  explicit Talk(Contexts& contexts, SSL_SESSION* session = nullptr, std::optional<Decryptor::Other> other = {});

  // How the kernel programs cut and keep what a call moved. Parts without bytes are gaps.
  struct Part {
    std::string head;
    std::uint32_t length = 0;
    bool lost = false;
  };
  std::function<std::vector<Part>(const std::string& bytes)> keep;
  // Changes what the probe emits; false: nothing is.
  std::function<bool(Derivation&)> derived;

  bool shake();                          // true: both ends are done
  void say(const std::string& text);     // by the client
  void answer(const std::string& text);  // by the server
  void pump();                           // until neither end has anything to send
  void close();                          // close_notify by the client, then by the server

  SSL* client() { return client_.get(); }
  SSL* server() { return server_.get(); }
  Decryptor& decryptor() { return decryptor_; }

  // What the decryptor made of it. Bytes that it did not see are '?'.
  struct Heard {
    std::string text;
    std::uint64_t missed = 0;
    bool holes = false;  // pieces that do not follow one another
    bool ended = false;
  };
  Heard in, out;
  std::vector<formats::TlsStep> steps;
  std::vector<formats::SocketId> heads;
  std::string said, answered;  // the truth

 private:
  void move(SSL* from, SSL* to, formats::Direction direction);
  void hear();
  void derive();

  Ssl client_, server_;
  Decryptor decryptor_;
  std::uint32_t position_[2] = {0xfffffff0u, 17};  // one of them wraps at once
  std::uint16_t missed_ = 0;                       // lost since the last event
  std::int64_t time_ = 1000;
};

}  // namespace tailcap::capture::decrypt
