// Both directions of a connection of MySQL, as a machine: mysql.cc takes packets apart, requests.cc and responses.cc
// say what they are.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/calls/mysql/packets.h"
#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {

constexpr std::size_t kMaxAsked = 4096;  // pipelined commands

enum class Known : std::uint8_t { unknown, no, yes };

class Mysql final : public Machine {
 public:
  explicit Mysql(bool from_beginning)
      : phase_(from_beginning ? Phase::greeting : Phase::first),
        connecting_(from_beginning),
        handshaken_(!from_beginning),
        eof_deprecated_(Known::unknown) {}

  Token next(Side side, std::string_view bytes) override;
  bool skip(Side side, std::uint64_t n) override;
  bool resume(Side side, std::string_view bytes, Token& ended) override;
  Order order() const override { return Order::proof; }
  bool at_border(Side side) const override;
  bool turns_to_tls() const override { return tls_; }

 private:
  enum class Phase : std::uint8_t { greeting, first, behind_file, definitions, behind_definitions, rows };
  enum class Packet : std::uint8_t { greeting, ok, error, eof, count, definition, row, prepared, file, text, other };
  enum class Request : std::uint8_t { command, handshake, ssl, data };
  struct Asked {
    Kind kind;
    std::uint8_t packets;  // their number is the sequence number of the answer
  };

  Packets& way(Side side) { return ways_[static_cast<std::size_t>(side)]; }
  Token header(Side side, Packets& w, std::string_view bytes);
  Token piece(Side side, Packets& w, std::string_view bytes);
  bool begin_request(Packets& w, std::uint8_t sequence);
  bool begin_response(Packets& w, std::uint8_t sequence);
  bool decide_request(Packets& w, std::uint8_t lead);
  bool decide_response(Packets& w, std::uint8_t lead);
  bool decide_first(Packets& w, std::uint8_t lead);
  bool decide_row(Packets& w, std::uint8_t lead);
  void choose(Side side, Packets& w, std::uint8_t lead);
  bool use(Packets& w, Use what);
  bool packet_ends(Side side, Packets& w, Token& token);
  bool request_ends(Token& token);
  bool response_packet_ends(Token& token);
  void results_end(Token& token);
  void definition_ends(Token& token);
  void open_response();
  void end_response(Token& token, bool failed);

  bool agreed(std::uint32_t capability) const { return (client_ & server_ & capability) != 0; }
  Known query_attributes() const {
    return !sees_capabilities_ ? Known::unknown : agreed(kQueryAttributes) ? Known::yes : Known::no;
  }
  bool plan(Packets& w, Packet packet, Plan plan) {
    packet_ = packet;
    w.plan = plan;
    return true;
  }

  std::array<Packets, 2> ways_;
  std::vector<Asked> asked_;  // the oldest first
  unsigned early_ = 0;        // responses that were seen before their requests: two CPUs recorded them
  // Capabilities; those of a server whose greeting was not seen do not restrict the client's.
  std::uint32_t server_ = ~0u, client_ = 0;
  bool sees_capabilities_ = false, compressed_ = false, tls_ = false;

  // How far the requests are.
  Request request_ = Request::command;
  const Command* command_ = nullptr;  // the last one
  std::uint8_t packets_ = 0;          // of the current request
  bool empty_ = false;                // the packet is empty
  bool in_file_ = false;              // a file of LOAD DATA LOCAL is under way
  int files_due_ = 0;                 // files that the server asked for and that have not ended

  // How far the responses are.
  Phase phase_;
  Kind kind_ = Kind::unknown;
  Packet packet_ = Packet::other;
  bool open_ = false;          // a response has begun
  bool connecting_;            // the next response is that of CONNECT
  bool handshaken_;            // the HandshakeResponse was seen
  bool inside_tls_ = false;    // the greeting was outside of TLS, which carries these bytes
  bool pushed_ = false;        // the current response answers no request
  bool metadata_ = true;       // definitions of columns follow
  bool first_packet_ = false;  // of a response
  Known eof_deprecated_;
  std::uint16_t status_ = 0, code_ = 0;
  std::uint32_t columns_ = 0, parameters_ = 0;  // definitions that are to come
};

}  // namespace tailcap::formats::calls::mysql
