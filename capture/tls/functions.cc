#include "capture/tls/functions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>

#include "bpf/event.h"
#include "capture/symbols/elf/elf_symbols.h"
#include "capture/symbols/function_probes.h"
#include "capture/symbols/go/go_binary.h"

namespace tailcap::capture::tls {

using namespace bpf;
using symbols::CallConvention;
using symbols::ElfFile;
using symbols::FunctionProbes;
using symbols::Place;
using symbols::ProbePlacer;

namespace {

struct Known {
  std::string_view name;
  tls_library library;
  tls_act act;
  int arguments;  // how many the probe reads
  bool call;      // has a result that is wanted
};

constexpr std::array kLibraryFunctions = {
    Known{"SSL_read", TLS_OPENSSL, ACT_READ, 3, true},
    Known{"SSL_write", TLS_OPENSSL, ACT_WRITE, 3, true},
    Known{"SSL_read_ex", TLS_OPENSSL, ACT_READ_EX, 4, true},
    Known{"SSL_write_ex", TLS_OPENSSL, ACT_WRITE_EX, 4, true},
    Known{"SSL_sendfile", TLS_OPENSSL, ACT_WRITE_FILE, 1, true},
    Known{"SSL_set_accept_state", TLS_OPENSSL, ACT_PREPARE, 1, false},
    Known{"SSL_set_connect_state", TLS_OPENSSL, ACT_PREPARE, 1, false},
    Known{"SSL_do_handshake", TLS_OPENSSL, ACT_HANDSHAKE, 1, false},
    Known{"SSL_shutdown", TLS_OPENSSL, ACT_SHUTDOWN, 1, false},
    Known{"SSL_free", TLS_OPENSSL, ACT_FREE, 1, false},
    Known{"SSL_clear", TLS_OPENSSL, ACT_CLEAR, 1, false},
    Known{"ERR_vset_error", TLS_OPENSSL, ACT_ERROR, 2, false},
    Known{"ERR_put_error", TLS_OPENSSL, ACT_ERROR_OLD, 3, false},
    Known{"gnutls_record_send", TLS_GNUTLS, ACT_WRITE, 3, true},
    Known{"gnutls_record_send2", TLS_GNUTLS, ACT_WRITE, 3, true},
    Known{"gnutls_record_recv", TLS_GNUTLS, ACT_READ, 3, true},
    Known{"gnutls_record_recv_seq", TLS_GNUTLS, ACT_READ, 3, true},
    Known{"gnutls_handshake", TLS_GNUTLS, ACT_HANDSHAKE, 1, false},
    Known{"gnutls_bye", TLS_GNUTLS, ACT_SHUTDOWN, 1, false},
    Known{"gnutls_deinit", TLS_GNUTLS, ACT_FREE, 1, false},
    Known{"gnutls_alert_send", TLS_GNUTLS, ACT_ALERT, 3, false},
};

constexpr std::array kGoFunctions = {
    Known{"crypto/tls.(*Conn).Read", TLS_GO, ACT_READ, 3, true},
    Known{"crypto/tls.(*Conn).Write", TLS_GO, ACT_WRITE, 3, true},
    Known{"crypto/tls.(*Conn).clientHandshake", TLS_GO, ACT_HANDSHAKE, 1, false},
    Known{"crypto/tls.(*Conn).serverHandshake", TLS_GO, ACT_HANDSHAKE, 1, false},
    Known{"crypto/tls.(*Conn).Close", TLS_GO, ACT_SHUTDOWN, 1, false},
    Known{"crypto/tls.(*Conn).sendAlertLocked", TLS_GO, ACT_ALERT_NUMBER, 2, false},
};

// keysFromMasterSecret has twelve words of arguments; what does not fit is on the stack.
#if defined(__aarch64__)
constexpr int kRegistersOfKeys = 12;
#else
constexpr int kRegistersOfKeys = 9;
#endif
constexpr std::array kGoDerivations = {
    Known{"crypto/tls.(*Config).writeKeyLog", TLS_GO, ACT_TRAFFIC_SECRET, 8, false},
    Known{"crypto/tls.keysFromMasterSecret", TLS_GO, ACT_KEY_EXPANSION, kRegistersOfKeys, false},
};
constexpr std::array<std::string_view, 2> kGoKeys = {kGoDerivations[0].name, kGoDerivations[1].name};
constexpr std::array<std::string_view, 2> kGoHandshakes = {"crypto/tls.(*Conn).clientHandshake",
                                                           "crypto/tls.(*Conn).serverHandshake"};

constexpr std::uint8_t kBelowOrEqual = 6;  // x86-64's number of the condition; "lower or same" on arm64

// flags: more bits of the cookie.
PlannedPlace planned_call(const ProbePlacer& placer, const Place& place, std::uint64_t function,
                          FunctionProgram program, const Known& known, std::uint64_t flags = 0) {
  return planned(placer, place, function, program,
                 TLS_COOKIE(known.act, known.library, place.stack_depth.value_or(0)) | flags);
}

bool depth_known(const Place& place) {
  return place.stack_depth && *place.stack_depth >= INT32_MIN && *place.stack_depth <= INT32_MAX;
}

// A call is placed only if none of its returns can be missed.
PlannedFunction plan_one(const ProbePlacer& placer, const symbols::FunctionRange& range, const Known& known) {
  PlannedFunction out{std::string(known.name), {}, {}};
  const bool go = known.library == TLS_GO;
  const FunctionProbes probes = placer.place(
      range, {go ? CallConvention::go_registers : CallConvention::system_v, known.arguments, known.call ? 1 : 0});
  if (!probes.entry.place) {
    out.reason = probes.entry.reason;
    return out;
  }
  if (probes.entry.skip_when_taken && (!go || probes.entry.condition != kBelowOrEqual)) {
    out.reason = "the only place is passed twice by some calls";
    return out;
  }
  const std::uint64_t skip = probes.entry.skip_when_taken ? TLS_SKIP_CONDITION : 0;
  if (!known.call) {
    Place place = *probes.entry.place;
    if (!depth_known(place)) {
      if (known.act == ACT_HANDSHAKE) {
        out.reason = "the stack could not be followed to " + text_of(place, range.address);
        return out;
      }
      place.stack_depth = 0;
    }
    out.places.push_back(planned_call(placer, place, range.address,
                                      go ? FunctionProgram::go_event : FunctionProgram::event, known, skip));
    return out;
  }
  if (!probes.results.complete || probes.results.places.empty()) {
    out.reason = "not every return can be seen: " + probes.results.reason;
    return out;
  }
  std::vector<Place> places = probes.results.places;
  places.insert(places.begin(), *probes.entry.place);
  // In Go, calls are distinguished by their goroutine.
  if (!go && !std::all_of(places.begin(), places.end(), depth_known)) {
    out.reason = "the stack could not be followed through the function";
    return out;
  }
  const FunctionProgram enter = go ? FunctionProgram::go_enter : FunctionProgram::enter;
  const FunctionProgram leave = go ? FunctionProgram::go_leave : FunctionProgram::leave;
  for (std::size_t i = 0; i < places.size(); i++)
    out.places.push_back(planned_call(placer, places[i], range.address, i ? leave : enter, known, i ? 0 : skip));
  return out;
}

// Libraries with OpenSSL's interface number their errors otherwise; only OpenSSL's own are understood.
bool own_errors(const std::vector<symbols::FunctionSymbol>& found, const symbols::FunctionSymbol& error) {
  if (error.name == "ERR_vset_error" || error.version.starts_with("OPENSSL_")) return true;
  return std::any_of(found.begin(), found.end(), [](const auto& f) { return f.name == "SSL_read_ex"; });
}

// OpenSSL 3 derives all keys of TLS in one function. Its parameters are complete where it begins; it ends with a jump.
PlannedFunction plan_derivation(const ElfFile& file, const symbols::FunctionSymbol& symbol) {
  const Known known{symbol.name, TLS_OPENSSL, ACT_HANDSHAKE, 4, false};
  PlannedFunction out{std::string(known.name), {}, {}};
  const ProbePlacer placer(file);
  const FunctionProbes probes =
      placer.place({symbol.address, symbol.size}, {CallConvention::system_v, known.arguments, 0});
  if (!probes.entry.place) {
    out.reason = probes.entry.reason;
    return out;
  }
  out.places.push_back(planned(placer, *probes.entry.place, symbol.address, FunctionProgram::secret, 0));
  return out;
}

std::vector<PlannedFunction> plan_all(const ElfFile& file);

// The functions of sessions, of which each is read by its keys or by probes.
std::vector<PlannedFunction> plan_sessions(const ElfFile& file) {
  std::vector<PlannedFunction> out = plan_all(file);
  std::erase_if(out, [](const PlannedFunction& f) { return f.name.starts_with("ERR_"); });
  for (PlannedFunction& function : out)
    for (PlannedPlace& place : function.places) place.probe.cookie |= TLS_BY_KEYS;
  // Without the beginnings of all sessions nothing tells which of them are read by keys.
  for (const std::string_view name : {"SSL_clear", "SSL_set_accept_state", "SSL_set_connect_state"}) {
    const auto found = std::find_if(out.begin(), out.end(), [&](const auto& f) { return f.name == name; });
    if (found != out.end() && !found->places.empty()) continue;
    const std::string why = found == out.end() ? "it is not there" : found->reason;
    return {{std::string(name), {}, "older connections are not read: " + why}};
  }
  return out;
}

// Nothing: the file is no part of OpenSSL 3.
std::optional<std::vector<PlannedFunction>> plan_openssl3(const ElfFile& file, bool also) {
  static constexpr std::array<std::string_view, 2> kMarks = {"EVP_KDF_derive", "SSL_get1_peer_certificate"};
  const auto found = symbols::find_functions(file, kMarks);
  if (found.empty()) return std::nullopt;
  std::vector<PlannedFunction> out;
  for (const auto& symbol : found) {
    if (symbol.name == kMarks[0]) out.push_back(plan_derivation(file, symbol));
    if (symbol.name != kMarks[1] || !also) continue;
    auto sessions = plan_sessions(file);
    std::move(sessions.begin(), sessions.end(), std::back_inserter(out));
  }
  return out;
}

std::vector<PlannedFunction> plan_library(const ElfFile& file, bool keys, bool also) {
  if (keys) {
    if (auto own = plan_openssl3(file, also)) return *std::move(own);
  }
  return plan_all(file);
}

std::vector<PlannedFunction> plan_all(const ElfFile& file) {
  std::vector<std::string_view> names;
  for (const Known& known : kLibraryFunctions) names.push_back(known.name);
  const auto found = symbols::find_functions(file, names);
  std::vector<PlannedFunction> out;
  if (found.empty()) return out;
  const ProbePlacer placer(file);
  for (const Known& known : kLibraryFunctions) {
    for (const auto& symbol : found) {
      if (symbol.name != known.name) continue;
      if (known.act == ACT_ERROR_OLD && !own_errors(found, symbol)) continue;
      // Some are no more than a jump to another one of these.
      PlannedFunction function = plan_one(placer, {symbol.address, symbol.size}, known);
      if (function.places.empty() && known.name == "gnutls_record_send" &&
          std::any_of(found.begin(), found.end(), [](const auto& f) { return f.name == "gnutls_record_send2"; }))
        continue;
      out.push_back(std::move(function));
    }
  }
  return out;
}

// What keys are derived from, of a Go program. The function is entered with all of it in registers, and in one case on
// the stack.
PlannedFunction plan_go_derivation(const ProbePlacer& placer, const symbols::FunctionRange& range, const Known& known) {
  PlannedFunction out{std::string(known.name), {}, {}};
  const auto entry = placer.place(range, {CallConvention::go_registers, known.arguments, 0}).entry;
  if (!entry.place)
    out.reason = entry.reason;
  else if (entry.skip_when_taken && entry.condition != kBelowOrEqual)
    out.reason = "the only place is passed twice by some calls";
  else if (!depth_known(*entry.place))
    out.reason = "the stack could not be followed to " + text_of(*entry.place, range.address);
  if (!out.reason.empty()) return out;
  out.places.push_back(planned(placer, *entry.place, range.address, FunctionProgram::go_secret,
                               TLS_COOKIE(known.act, TLS_GO, *entry.place->stack_depth) | TLS_BY_KEYS |
                                   (entry.skip_when_taken ? TLS_SKIP_CONDITION : 0)));
  return out;
}

template <std::size_t N>
bool all_placed(const std::vector<PlannedFunction>& functions, const std::array<std::string_view, N>& names) {
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
    return std::any_of(functions.begin(), functions.end(),
                       [&](const PlannedFunction& f) { return f.name == name && !f.places.empty(); });
  });
}

std::vector<PlannedFunction> plan_go(const ElfFile& file, bool keys, bool also) {
  const symbols::GoFunctions functions(file);
  if (functions.size() == 0)
    return {{"crypto/tls", {}, "this Go program's functions are not known: " + functions.problem()}};
  std::vector<std::string_view> names;
  for (const Known& known : kGoFunctions) names.push_back(known.name);
  for (const Known& known : kGoDerivations) names.push_back(known.name);
  const auto found = functions.find(names);
  std::vector<PlannedFunction> derivations, sessions;
  if (found.empty()) return sessions;
  const ProbePlacer placer(file);
  for (const auto& function : found) {
    for (const Known& known : kGoDerivations) {
      if (keys && function.name == known.name)
        derivations.push_back(plan_go_derivation(placer, {function.address, function.size}, known));
    }
  }
  // Without one of them some connections would have no keys, or none would be known to have them.
  const bool by_keys = all_placed(derivations, kGoKeys);
  if (by_keys && !also) return derivations;
  for (const Known& known : kGoFunctions) {
    for (const auto& function : found) {
      if (function.name == known.name) sessions.push_back(plan_one(placer, {function.address, function.size}, known));
    }
  }
  if (!by_keys || !all_placed(sessions, kGoHandshakes)) return sessions;
  for (PlannedFunction& function : sessions)
    for (PlannedPlace& place : function.places) place.probe.cookie |= TLS_BY_KEYS;
  std::move(sessions.begin(), sessions.end(), std::back_inserter(derivations));
  return derivations;
}

}  // namespace

bool is_tls_library(const std::string& file_name) {
  static constexpr std::array<std::string_view, 3> kNames = {"libssl", "libcrypto", "libgnutls"};
  // OpenSSL's interface on top of GnuTLS: the library below it is watched already.
  if (file_name.starts_with("libgnutls-openssl")) return false;
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view name) {
    // "libssl.so.3", and "libssl-3a6a8f61.so.1.1" as Python's packages carry it
    return file_name.starts_with(name) && file_name.size() > name.size() &&
           (file_name[name.size()] == '.' || file_name[name.size()] == '-') && file_name.find(".so") != file_name.npos;
  });
}

std::vector<PlannedFunction> plan_functions(const ElfFile& file, bool keys, bool also) {
  if (file.kind() != symbols::ElfKind::shared_library) {
    if (symbols::is_go(file)) return plan_go(file, keys, also);
    switch (symbols::openssl_inside(file)) {
      case symbols::OpensslInside::no:
        return {};
      case symbols::OpensslInside::stripped:
        return {{"OpenSSL", {}, "it is linked into this program, and the names of its functions are stripped"}};
      case symbols::OpensslInside::yes:
        break;
    }
  }
  return plan_library(file, keys, also);
}

}  // namespace tailcap::capture::tls
