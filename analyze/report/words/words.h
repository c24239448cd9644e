// The names of the values of model/ in text for people. Everything returned is printable() already.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/study/study.h"
#include "formats/recorder_event.h"

namespace tailcap::report {

std::string_view text_of(model::Taint taint);  // "part of its bytes is missing from the recording", …
std::vector<model::Taint> taints_in(model::Taints taints);
std::string_view text_of(formats::HookTier tier);
std::string_view text_of(formats::CaptureState state);

// "200", "503", or the outcome where there is no status or the status is not the whole story: "200, truncated".
std::string outcome_text(const model::Request& row);
// With the code of an error of a store, or why a set-up failed. Printable.
std::string outcome_text(const model::Request& row, std::string_view error_code);

// "GET /users/{}", "GET ?", "(unknown request)"; "nginx GET /users/{}" where others serve a route of that name, too.
std::string route_title(const model::RouteStudy& route);
// "GET /users/7" as it was asked for.
std::string request_title(const model::Request& row, const model::TextPool& texts);
std::string id_text(model::ExchangeId id);  // "12.3"
// "1234"; in a merged capture "1234@2" for that of the second machine.
// What a request does while the label lasts, after "is spent" and "was": "in a TLS handshake with another service".
std::string_view state_text(model::Label label);
std::string pid_text(std::uint32_t pid);

// "cgroup /shop, 30.0 ms of every 100 ms".
std::string group_text(const model::CpuGroup& group);

// "10.0.0.3:5432, PostgreSQL's port, process postgres": what is known of it. Printable.
std::string peer_text(const model::SocketPeer& peer);
// A lock, by its name if it has one: "`cart_mutex`", "at 0x7f00".
std::string place_text(std::string_view name, std::uint64_t address);

// The phases or labels that took most of a request's time: "in the service 28.1 ms (94 %); waiting for a lock 27.0 ms".
// Empty: not known.
std::string dominant_text(const model::Request& row, model::AccountParts account);

// Terms used in a report and what they mean, for its last lines.
std::vector<std::pair<std::string_view, std::string_view>> definitions();

}  // namespace tailcap::report
