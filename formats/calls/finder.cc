#include "formats/calls/stream.h"

namespace tailcap::formats::calls {

namespace {

// What the Finder reads stays out.
struct Unheard {
  bool sound = true;
  void token(Side, const Token&, std::string_view, std::size_t) {}
  void unseen(Side, std::uint64_t) {}
  void lost(Side) { sound = false; }
  void resumed(Side, const Token&, std::string_view, std::size_t) {}
};

}  // namespace

// The request's bytes move the machine: it knows then what was asked.
bool Finder::read(const Piece& piece) {
  Unheard unheard;
  Stream stream(kind_, std::move(machine_));
  stream.moved(Side::requests, piece, unheard);
  const bool sound = unheard.sound && stream.state() == Stream::State::reads;
  machine_ = stream.take();
  if (!sound) machine_.reset();
  return sound;
}

bool Finder::ask(unsigned direction, const Piece& piece) {
  for (std::size_t i = 0; i < protocols().size(); ++i) {
    if (only_ && static_cast<std::size_t>(*only_) != i) continue;
    const Protocol& p = protocols()[i];
    if (!p.proves(Side::requests, piece.head, piece.length)) continue;
    kind_ = static_cast<Kind>(i);
    requests_ = direction;
    machine_ = p.machine(false);
    ++found_;
    if (read(piece)) return true;
  }
  return false;
}

// A server of MySQL reads the four bytes of a header, and then the rest.
bool Finder::ask_joined(unsigned direction, const Piece& piece) {
  began_before_ = false;
  if (ask(direction, piece)) {
    header_.clear();
    return true;
  }
  const std::string before = direction == header_direction_ ? std::exchange(header_, {}) : std::string();
  if (!before.empty()) {
    const std::string head = before + std::string(piece.head);
    began_before_ = ask(direction, {piece.length + before.size(), head, piece.tail});
    if (began_before_) return true;
  }
  if (piece.length <= kLongestHeader && piece.hidden() == 0) {
    header_ = std::string(piece.head) + std::string(piece.tail);
    header_direction_ = direction;
  }
  return false;
}

bool Finder::moved(unsigned direction, int requests, const Piece& piece) {
  if (machine_ && direction == requests_) {
    if (!read(piece)) ask_joined(direction, piece);
    return false;
  }
  if (machine_) {
    if (protocol_of(kind_).proves(Side::responses, piece.head, piece.length)) return true;
    machine_.reset();
  }
  if (requests < 0 || static_cast<unsigned>(requests) == direction) ask_joined(direction, piece);
  return false;
}

}  // namespace tailcap::formats::calls
