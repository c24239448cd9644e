#include "formats/mask/call.h"

#include <algorithm>
#include <string>

#include "formats/calls/machine/key_shape.h"

namespace tailcap::formats::mask {

struct Call::Losses {
  Call& call;
  void unseen(calls::Side side, std::uint64_t) { call.not_seen(side); }
  void lost(calls::Side side) {
    call.was_lost_ = true;
    call.not_seen(side);
  }
};

// Puts tokens on the sheet.
struct Call::Writer : Losses {
  Sheet& sheet;
  const Rules& rules;
  std::size_t base;

  void token(calls::Side side, const calls::Token& t, std::string_view bytes, std::size_t at) {
    at += base;
    Text& text = call.text_[static_cast<std::size_t>(side)];
    if (t.begins) {
      text = {};
      if (side == calls::Side::requests && std::exchange(call.sql_used_, false)) call.sql_.end();
    }
    const bool whole = !text.open && t.text_ends;
    switch (t.part) {
      case calls::Part::framing:
        sheet.keep(at, at + bytes.size());
        break;
      case calls::Part::value:
        sheet.hide(at, at + bytes.size());
        break;
      case calls::Part::key:
        write(rules.keys(), bytes, at, [&](std::string& key) {
          if (whole)
            calls::mask_key(key, false);
          else
            key.assign(key.size(), '*');  // a part of a key may read like a word
        });
        break;
      case calls::Part::name:
        write(rules.keys(), bytes, at, [&](std::string& name) { calls::mask_name(name, !whole); });
        break;
      case calls::Part::statement:
        write(rules.statements(), bytes, at, [&](std::string& piece) {
          // A literal may have begun in what was not seen.
          if (text.blind) return static_cast<void>(piece.assign(piece.size(), '?'));
          call.sql_used_ = true;
          call.sql_.mask(piece);
        });
        break;
    }
    if (t.field == calls::Field::statement && t.text_ends) call.sql_.end();
    if (t.field != calls::Field::none || t.text_ends) text = {!t.text_ends, !t.text_ends && text.blind};
    call.asked_ += side == calls::Side::requests && t.ends;
  }

  template <class Shape>
  void write(Kept kept, std::string_view bytes, std::size_t at, Shape shape) {
    if (kept == Kept::whole) return sheet.keep(at, at + bytes.size());
    if (kept == Kept::nothing) return sheet.hide(at, at + bytes.size());
    std::string masked(bytes);
    shape(masked);
    sheet.write(at, masked);
  }

  void resumed(calls::Side side, const calls::Token& ended, std::string_view last, std::size_t at) {
    const std::size_t end = base + at + last.size();
    sheet.keep(end - std::min(ended.size, last.size()), end);
    call.text_[static_cast<std::size_t>(side)] = {};
    if (side == calls::Side::requests) call.sql_.end();
  }
};

Call::Call(calls::Stream stream, unsigned requests)
    : stream_(std::move(stream)), requests_(requests & 1), sql_(calls::dialect_of(stream_.kind())) {}

void Call::not_seen(calls::Side side) {
  Text& text = text_[static_cast<std::size_t>(side)];
  text.blind = text.open;
  if (side == calls::Side::requests) sql_.end();
}

void Call::moved(unsigned direction, const calls::Piece& piece, std::size_t base, Sheet& sheet, const Rules& rules) {
  Writer writer{{*this}, sheet, rules, base};
  stream_.moved(side(direction), piece, writer);
}

void Call::gap(unsigned direction, std::uint64_t n) {
  Losses losses{*this};
  stream_.gap(side(direction), n, losses);
}

}  // namespace tailcap::formats::mask
