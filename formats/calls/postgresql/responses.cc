// What the server sends: which response it is of, and where that ends.
#include "formats/calls/postgresql/connection.h"
#include "formats/calls/postgresql/wire.h"

namespace tailcap::formats::calls::postgresql {
namespace {

constexpr std::size_t kReady = 6;  // bytes of a ReadyForQuery
constexpr std::string_view kReadyHead("Z\0\0\0\5", 5);

}  // namespace

Token Postgresql::response_type(Reading& in, char type) {
  if (greets_) {
    if (type == 'N') return {.size = 1};
    if (type == 'S') {
      // Only an SSLRequest is answered so, and no StartupMessage precedes this answer.
      tls_ = asked_.empty() && at(Side::requests).step == Step::startup;
      return {.size = tls_ ? std::size_t{1} : 0};
    }
    if (!has("REv", type)) return {};
    greets_ = false;
  }
  if (lengths_of(Side::responses, type) == nullptr) return {};
  in.type = type;
  in.step = Step::length;
  if (type == 'Z') return ready(in);
  if (has("NS", type)) return {.size = 1};
  if (skipping_ && type != 'A') return {};
  if (in.open) return {.size = 1};
  // A Close is part of no request unless it stands inside one.
  if (type == '3') return {.size = 1};
  if (has("dc", type)) return {};
  pushed_ = type == 'A' || (type == 'E' && asked_.asks(Ask::sync));
  if (!pushed_) {
    asked_.drop_syncs();
    if (has("RvK", type) && !asked_.empty() && !asked_.asks(Ask::connect)) return {};
    if (asked_.asks(Ask::connect) && !has("RvE", type)) return {};
  }
  in.open = true;
  failed_ = fatal_ = false;
  extended_ = has("12tns", type);
  came_ = 0;
  return {.size = 1, .begins = true};
}

// The type of a ReadyForQuery. Behind an error it is the answer to the calls that the server skipped.
Token Postgresql::ready(Reading& in) {
  if (in.open) return {.size = !pushed_ && asked_.awaits_ready() ? std::size_t{1} : 0};
  skipped_ = skipping_ ? asked_.skip() : 0;
  skipping_ = false;
  asked_.drop_sync();
  settled_ = settled_ || (skipped_ == 0 && asked_.empty());
  if (skipped_ == 0) return {.size = 1};
  in.open = true;
  pushed_ = false;
  return {.size = 1, .begins = true};
}

Token Postgresql::ready_done(Reading& in, Token token) {
  if (!in.open) return token;
  if (skipped_ > 0) {
    in.open = false;
    token.ends = token.failed = true;
    token.further = static_cast<std::uint16_t>(skipped_ - 1);
    skipped_ = 0;
    settled_ = settled_ || asked_.empty();
    return token;
  }
  const bool itself = asked_.empty() || asked_.ends_with_ready();
  token = response_ends(token, failed_);
  if (!itself) asked_.drop_sync();
  settled_ = settled_ || asked_.empty();
  return token;
}

// The open response ended: so did the oldest call.
Token Postgresql::response_ends(Token token, bool failed) {
  token.ends = true;
  token.failed = failed;
  token.pushed = pushed_;
  at(Side::responses).open = false;
  if (!pushed_) asked_.answered();
  return token;
}

Token Postgresql::response_done(Reading& in, Token token) {
  const char type = in.type;
  if (type == 'Z') return ready_done(in, token);
  if (!in.open || has("NS", type)) return token;
  if (pushed_) return response_ends(token, type == 'E');
  const bool known = !asked_.empty();
  const Ask ask = known ? asked_.oldest().ask : extended_ ? Ask::execute : Ask::query;
  if (type == 'E') {
    failed_ = true;
    if (ask == Ask::execute || ask == Ask::prepare) {
      skipping_ = true;
      return response_ends(token, true);
    }
    if (ask == Ask::connect || fatal_) {
      pushed_ = !known;
      return response_ends(token, true);
    }
  } else if (ask == Ask::execute) {
    if (has("CIs", type)) return response_ends(token, false);
    // The server reads over the Sync behind this Execute: the data comes first.
    if (type == 'G' && known) asked_.drop_syncs_behind_oldest();
  } else if (ask == Ask::prepare) {
    if (has("CIDs", type)) return {};
    if (has("123nT", type) && ++came_ >= asked_.oldest().replies) return response_ends(token, false);
  }
  return token;
}

bool Postgresql::resume(Side side, std::string_view bytes, Token& ended) {
  Reading& in = at(side);
  if (side == Side::requests || in.step != Step::lost || tls_ || bytes.size() < kReady) return false;
  if (skipped_ > 0) return false;  // their ReadyForQuery has begun before this one
  const std::string_view before = bytes.substr(0, bytes.size() - kReady);
  bytes.remove_prefix(before.size());
  if (!bytes.starts_with(kReadyHead) || !is_status(bytes.back())) return false;
  const auto first = asked_.before_only_ready();
  // Skipped calls have one response, all others one each.
  if (!first || (first->calls > 1 && !skipping_)) return false;
  const bool ends = (in.open && !pushed_) || first->calls > 0;
  // An error ends with two NUL bytes, CommandComplete with the NUL of its tag.
  constexpr std::size_t kEnd = 2;
  const bool told = ends && !skipping_;
  if (told && (before.size() < kEnd || before.back() != '\0')) return false;
  const bool error = told && before[before.size() - kEnd] == '\0';
  ended = {.size = kReady + (told ? kEnd : 0)};
  if (ends) {
    ended.begins = !in.open;
    ended.ends = true;
    ended.failed = error || skipping_ || (in.open && failed_);
    ended.further = static_cast<std::uint16_t>(first->calls > 1 ? first->calls - 1 : 0);
    if (first->all == 0) asked_.answered();
  }
  asked_.drop(*first);
  settled_ = settled_ || asked_.empty();
  in = {};
  skipping_ = failed_ = pushed_ = greets_ = false;
  return true;
}

}  // namespace tailcap::formats::calls::postgresql
