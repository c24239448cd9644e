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
  stream.moved(side_, piece, unheard);
  const bool sound = unheard.sound && stream.state() == Stream::State::reads;
  machine_ = stream.take();
  if (!sound) machine_.reset();
  return sound;
}

bool Finder::ask(unsigned direction, Side side, const Piece& piece) {
  for (std::size_t i = 0; i < protocols().size(); ++i) {
    if (only_ && static_cast<std::size_t>(*only_) != i) continue;
    const Protocol& p = protocols()[i];
    if (side == Side::responses && !(p.asks && p.asks(side, piece.head))) continue;
    if (!p.proves(side, piece.head, piece.length)) continue;
    kind_ = static_cast<Kind>(i);
    side_ = side;
    requests_ = side == Side::requests ? direction : 1 - direction;
    machine_ = p.machine(false);
    ++found_;
    older_ = 0;
    if (read(piece)) return true;
  }
  return false;
}

bool Finder::ask(unsigned direction, int requests, const Piece& piece) {
  const bool client = requests < 0 || static_cast<unsigned>(requests) == direction;
  const bool server = requests < 0 || static_cast<unsigned>(requests) != direction;
  return (client && ask(direction, Side::requests, piece)) || (server && ask(direction, Side::responses, piece));
}

// A server of MySQL reads the four bytes of a header, and then the rest.
bool Finder::ask_joined(unsigned direction, int requests, const Piece& piece) {
  began_before_ = false;
  if (ask(direction, requests, piece)) {
    header_.clear();
    return true;
  }
  const std::string before = direction == header_direction_ ? std::exchange(header_, {}) : std::string();
  if (!before.empty()) {
    const std::string head = before + std::string(piece.head);
    began_before_ = ask(direction, requests, {piece.length + before.size(), head, piece.tail});
    if (began_before_) return true;
  }
  if (piece.length <= kLongestHeader && piece.hidden() == 0) {
    header_ = std::string(piece.head) + std::string(piece.tail);
    header_direction_ = direction;
  }
  return false;
}

// This I/O of the other side answers. Where answers name their requests, those to older ones come before, and a header
// may be read alone.
bool Finder::answered(unsigned direction, const Piece& piece) {
  constexpr unsigned kMostOlder = 64;
  const Protocol& found = protocol_of(kind_);
  const Side side = side_ == Side::requests ? Side::responses : Side::requests;
  if (!found.names_requests) return found.proves(side, piece.head, piece.length);
  const std::string before = direction == header_direction_ ? std::exchange(header_, {}) : std::string();
  const std::string head = before + std::string(piece.head);
  if (!found.proves(side, head, piece.length + before.size())) {
    if (piece.length <= kLongestHeader && piece.hidden() == 0) {
      header_ = head;
      header_direction_ = direction;
    } else if (!before.empty() || ++older_ >= kMostOlder) {
      machine_.reset();
    }
    return false;
  }
  if (!machine_->answers(head)) {
    if (++older_ >= kMostOlder) machine_.reset();
    return false;
  }
  for (std::string_view rest = before; !rest.empty();) {
    const Token t = machine_->next(side, rest);
    if (t.size == 0) return false;
    rest.remove_prefix(t.size);
  }
  return true;
}

bool Finder::moved(unsigned direction, int requests, const Piece& piece) {
  if (machine_) {
    const Protocol& found = protocol_of(kind_);
    if (direction == asking()) {
      if (found.asks && found.asks(side_, piece.head) && found.proves(side_, piece.head, piece.length)) return true;
      if (!read(piece)) ask_joined(direction, requests, piece);
      return false;
    }
    if (answered(direction, piece)) return true;
    if (found.names_requests && machine_) return false;
    machine_.reset();
  }
  ask_joined(direction, requests, piece);
  return false;
}

}  // namespace tailcap::formats::calls
