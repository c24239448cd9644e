// The machines of all protocols of calls: the input says what moves on a connection, where it is cut, and what of it is
// not seen. A machine that reads what a capture keeps says the same as the one that read the bytes themselves, and cuts
// change no message and show no more.
//
// The input: a byte (protocol, and whether the connection is seen from its beginning), then steps: a byte (bit 0: the
// direction; bit 1: bytes that are not seen; the others: the size of the pieces, 0 for one piece), two bytes of length,
// and the bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/calls/machine/key_shape.h"
#include "formats/calls/table.h"
#include "formats/sql/mask.h"
#include "tests/fuzz/bytes.h"

namespace {

using namespace tailcap::formats::calls;

struct Step {
  Side side;
  std::uint64_t unseen;  // 0: `bytes` are seen
  std::size_t piece;
  std::string_view bytes;
};

std::vector<Step> steps_of(Bytes input) {
  std::vector<Step> steps;
  while (!input.empty()) {
    const unsigned how = input.byte();
    const std::size_t length = static_cast<std::size_t>(input.byte()) << 8 | input.byte();
    const Side side = static_cast<Side>(how & 1);
    const std::size_t piece = how >> 2 == 0 ? std::string_view::npos : how >> 2;
    if (how & 2)
      steps.push_back({side, length, piece, {}});
    else
      steps.push_back({side, 0, piece, input.text(length)});
  }
  return steps;
}

constexpr char part_sign(Part part) { return static_cast<char>('0' + static_cast<int>(part)); }
constexpr char kHidden = part_sign(Part::value);

void demand(bool holds, const char* what) {
  if (holds) return;
  std::cerr << what << '\n';
  std::abort();
}

bool same(const Token& a, const Token& b) {
  return a.size == b.size && a.part == b.part && a.field == b.field && a.text_ends == b.text_ends &&
         a.begins == b.begins && a.ends == b.ends && a.failed == b.failed && a.unanswered == b.unanswered &&
         a.pushed == b.pushed && a.call == b.call && a.turned == b.turned && a.further == b.further &&
         a.waits == b.waits && a.operation == b.operation;
}

// What a capture keeps of the tokens of a connection.
class Mask {
 public:
  explicit Mask(tailcap::formats::sql::Dialect dialect) : sql_(dialect) {}

  void token(Side side, const Token& t, std::string& bytes) {
    Text& text = texts_[static_cast<std::size_t>(side)];
    switch (t.part) {
      case Part::framing:
        break;
      case Part::value:
        bytes.assign(bytes.size(), '*');
        break;
      case Part::key:
        if (!text.open && t.text_ends)
          mask_key(bytes, false);
        else
          bytes.assign(bytes.size(), '*');
        break;
      case Part::name:
        mask_name(bytes, text.open || !t.text_ends);
        break;
      case Part::statement:
        if (text.blind)
          bytes.assign(bytes.size(), '?');
        else
          sql_.mask(bytes);
        break;
    }
    if (t.field == Field::statement && t.text_ends) sql_.end();
    if (t.field != Field::none || t.text_ends) text = {!t.text_ends, !t.text_ends && text.blind};
  }
  void unseen(Side side) {
    Text& text = texts_[static_cast<std::size_t>(side)];
    text.blind = text.open;
  }
  void resumed(Side side) {
    texts_[static_cast<std::size_t>(side)] = {};
    if (side == Side::requests) sql_.end();
  }

 private:
  struct Text {
    bool open = false, blind = false;
  };
  tailcap::formats::sql::Mask sql_;
  Text texts_[2];
};

// Two machines, of which the second reads what is kept of the bytes that the first reads.
class Pair {
 public:
  Pair(Kind kind, bool from_beginning)
      : first_(protocol_of(kind).machine(from_beginning)),
        second_(protocol_of(kind).machine(from_beginning)),
        mask_(dialect_of(kind)) {}

  // False: it is over.
  bool move(const Step& step, std::size_t most) {
    if (step.side == Side::requests && lost_[1] && !resume()) return false;
    if (lost_[static_cast<std::size_t>(step.side)]) return true;
    if (step.unseen > 0) return skip(step.side, step.unseen);
    for (std::size_t at = 0; at < step.bytes.size() && !over_; at += std::min(most, step.bytes.size() - at))
      read(step.side, step.bytes.substr(at, most));
    return !over_;
  }
  // What was read: of each byte what it is, and where messages end, and how.
  const std::string& parts() const { return parts_; }
  const std::string& messages() const { return messages_; }
  bool refused() const { return refused_; }

 private:
  void read(Side side, std::string_view piece) {
    std::vector<Token> tokens;
    std::vector<std::uint32_t> further;  // calls that are answered, too
    std::string masked(piece);
    std::size_t at = 0;
    while (at < piece.size() && !over_) {
      const Token t = first_->next(side, piece.substr(at));
      demand(t.size <= piece.size() - at, "a token goes beyond the bytes");
      tokens.push_back(t);
      each_further(*first_, t, [&](std::uint32_t call) { further.push_back(call); });
      refused_ = t.size == 0;
      over_ = refused_ || first_->turns_to_tls();
      std::string bytes(piece.substr(at, t.size));
      if (t.size > 0) mask_.token(side, t, bytes);
      masked.replace(at, t.size, bytes);
      parts_.append(t.size, part_sign(t.part));
      if (t.ends) {
        messages_ += std::to_string(parts_.size()) + std::string(t.operation);
        for (const bool flag : {t.failed, t.unanswered, t.pushed, t.waits}) messages_ += flag ? '1' : '0';
      }
      at += t.size;
    }
    at = 0;
    std::size_t answered = 0;
    for (const Token& t : tokens) {
      demand(same(second_->next(side, std::string_view(masked).substr(at)), t), "masked bytes are read otherwise");
      each_further(*second_, t, [&](std::uint32_t call) {
        demand(answered < further.size() && further[answered] == call, "masked bytes answer other calls");
        ++answered;
      });
      at += t.size;
    }
    demand(answered == further.size(), "masked bytes answer fewer calls");
    agree();
  }

  template <class Visit>
  static void each_further(Machine& machine, const Token& t, Visit visit) {
    if (!t.ends || t.call == 0) return;
    for (std::uint32_t call = machine.further_call(); call != 0; call = machine.further_call()) visit(call);
  }

  bool skip(Side side, std::uint64_t n) {
    const bool known = first_->skip(side, n);
    demand(known == second_->skip(side, n), "a skip is judged otherwise behind masked bytes");
    mask_.unseen(side);
    lost_[static_cast<std::size_t>(side)] = !known;
    if (known) agree();
    if (known) demand(same(first_->skipped(side), second_->skipped(side)), "a skip ends otherwise behind masked bytes");
    return known || side == Side::responses;
  }

  bool resume() {
    Token ended, again;
    const bool goes_on = first_->resume(Side::responses, {}, ended);
    demand(goes_on == second_->resume(Side::responses, {}, again) && same(ended, again), "only one of two resumes");
    lost_[1] = false;
    mask_.resumed(Side::responses);
    return goes_on;
  }

  void agree() const {
    for (const Side side : {Side::requests, Side::responses})
      demand(first_->at_border(side) == second_->at_border(side), "masked bytes end elsewhere");
    demand(first_->turns_to_tls() == second_->turns_to_tls(), "only one of two turns to TLS");
  }

  std::unique_ptr<Machine> first_, second_;
  Mask mask_;
  bool lost_[2] = {false, false};
  bool over_ = false, refused_ = false;
  std::string parts_, messages_;
};

// True: the protocol allowed all of the bytes.
bool passes(Pair& pair, const std::vector<Step>& steps, std::size_t most) {
  for (const Step& step : steps)
    if (!pair.move(step, std::min(most, step.piece))) break;
  return !pair.refused();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 1u << 16) return 0;
  const Kind kind = static_cast<Kind>((data[0] >> 1) % protocols().size());
  const std::vector<Step> steps = steps_of(Bytes(data + 1, size - 1));
  Pair pieces(kind, data[0] & 1), single(kind, data[0] & 1);
  if (passes(pieces, steps, std::string_view::npos)) {
    demand(passes(single, steps, 1) && pieces.messages() == single.messages(), "cuts change messages");
    // A word that is known only as a whole is hidden in pieces.
    const auto hides = [](char whole, char cut) { return cut == whole || cut == kHidden; };
    demand(
        std::equal(pieces.parts().begin(), pieces.parts().end(), single.parts().begin(), single.parts().end(), hides),
        "cuts change what bytes are");
  }
  for (const Step& step : steps) {
    if (step.bytes.empty()) continue;
    begun(step.bytes, step.side);
    for (const Protocol& protocol : protocols())
      protocol.proves(step.side, step.bytes, step.bytes.size() + step.piece % 3);
  }
  return 0;
}
