// What the client sends: commands, the handshake, what the server asks for within a call.
#include "formats/calls/mysql/connection.h"

namespace tailcap::formats::calls::mysql {

bool Mysql::begin_request(Packets& w, std::uint8_t sequence) {
  packets_ = 1;
  empty_ = w.left == 0;
  if (!handshaken_) {
    if (sequence == 0 || sequence > 2 || w.left < kSslRequest || w.continues) return false;
    const bool ssl = w.left == kSslRequest;
    if (ssl && sequence != 1) return false;
    inside_tls_ = sequence == 2;
    request_ = ssl ? Request::ssl : Request::handshake;
    w.plan = ssl ? Plan(kSslPlan) : Plan(kHandshake);
    return true;
  }
  const bool login = command_ == nullptr || command_->kind == Kind::login;
  if (sequence != 0 || in_file_ || files_due_ > 0) {
    // The client answers the server within a call: with what a plugin asks for, or with the packets of a file.
    if (!login && command_->kind != Kind::result) return false;
    request_ = Request::data;
    w.plan = kHidden;
    in_file_ = !login;
    return true;
  }
  request_ = Request::command;
  return !empty_;
}

bool Mysql::decide_request(Packets& w, std::uint8_t lead) {
  command_ = command_of(lead);
  if (command_ == nullptr) return false;
  w.plan = command_->plan;
  return true;
}

bool Mysql::request_ends(Token& token) {
  Kind kind = Kind::login;
  switch (request_) {
    case Request::ssl:
      tls_ = true;
      return true;
    case Request::data:
      if (empty_ && in_file_) {
        in_file_ = false;
        files_due_--;
      }
      return true;
    case Request::handshake:
      handshaken_ = true;
      token.operation = "CONNECT";
      break;
    case Request::command:
      kind = command_->kind;
      if (kind == Kind::none) return true;
      token.operation = command_->name;
      break;
  }
  token.ends = true;
  if (early_ > 0) {
    early_--;
    return true;
  }
  if (asked_.size() >= kMaxAsked) return false;
  asked_.push_back({kind, packets_});
  return true;
}

}  // namespace tailcap::formats::calls::mysql
