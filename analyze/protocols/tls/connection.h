// A TLS connection from its records: the handshake's facts (model/wire/tls.h), then the end of both directions.
//
// The message `handshake` is reported once: when the handshake is done, otherwise when both directions have ended.
// Encrypted content stays unknown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyze/model/wire/findings.h"
#include "analyze/model/wire/tls.h"
#include "analyze/protocols/input/messages.h"
#include "analyze/protocols/tls/handshake_messages.h"
#include "analyze/protocols/tls/record_reader.h"

namespace tailcap::protocols::tls {

enum class Begin : std::uint8_t { undecided, client_hello, server_hello, other };
// The kind of a direction's first bytes: a record with the beginning of one of these messages, or anything else.
Begin guess_tls(std::string_view bytes);
inline constexpr std::size_t kGuessBytes = 6;

class TlsConnection {
 public:
  // began_before: records were found in the middle of the connection.
  TlsConnection(model::ConnectionId id, model::Direction client, bool began_before = false);
  void push(const model::ByteRun& run, Messages& out);
  // Both directions have ended.
  bool done() const { return ended_[0] && ended_[1]; }

 private:
  static constexpr std::size_t kMaxEncrypted = 8;
  struct Encrypted {
    std::uint32_t length = 0;
    model::Time done = model::kNoTime;  // its last byte was read or sent; kNoTime: not seen
    bool answered = false;              // the other end's hello had been seen
  };
  struct Side {
    RecordReader reader;
    HandshakeMessages messages;
    bool any = false;
    std::uint64_t moved = 0;  // bytes of records of application data; behind the handshake, all bytes
    bool changed_cipher = false, certificate = false, application_data = false, alert_open = false;
    bool finished_seen = false;  // TLS 1.2: the first handshake record behind ChangeCipherSpec
    bool finished_lost = false;  // or it may have been in bytes that are missing
    model::Time finished = model::kNoTime;
    std::vector<Encrypted> encrypted;  // the first records of type application data
    model::End end = model::End::none;
    model::Time ended_at = model::kNoTime;
  };

  Side& side(model::Direction d) { return sides_[static_cast<std::size_t>(d)]; }
  Side& client() { return side(facts_.client); }
  Side& server() { return side(other(facts_.client)); }
  static model::Direction other(model::Direction d) {
    return d == model::Direction::in ? model::Direction::out : model::Direction::in;
  }

  void take(Side& s, const Fragment& f, const model::ByteRun& run);
  void take_handshake(Side& s, const Fragment& f, const model::ByteRun& run);
  void take_alert(const Fragment& f, const model::ByteRun& run);
  void client_hello(std::string_view body);
  void server_hello(std::string_view body);
  void server_changed_cipher();
  void begun(Side& s, const Fragment& f, model::Direction d);
  bool handshake_done();
  bool done_tls13(bool at_end);
  bool encrypted_alert();
  void settle();
  void tell(Messages& out);

  model::ConnectionId id_;
  model::TlsFacts facts_;
  Side sides_[2];
  bool ended_[2] = {false, false};
  bool told_ = false, server_hello_whole_ = false, fatal_ = false;
  std::string session_id_, echoed_;
  bool hello_seen_ = false;
  std::uint32_t alert_most_ = 0;  // bytes of an alert behind the handshake
};

}  // namespace tailcap::protocols::tls
