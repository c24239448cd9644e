#include "capture/log/status.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "capture/control/amount.h"
#include "formats/printable.h"

namespace tailcap::capture {

namespace {

// As it should be: not worth a word (tls/file_ways.cc).
constexpr std::string_view kNothingOlder = ": no connection is left that is older than the recording";
constexpr std::chrono::seconds kWithoutHttp{5};  // before the lack of HTTP is worth a word

double seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

// The width of the terminal; 80 where it does not say.
std::size_t columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// A line that wraps is not rewritten in place. The last column stays free: some terminals wrap there.
std::string clipped(const std::string& line, std::size_t most) {
  std::size_t seen = 0, bytes = 0;
  for (; bytes < line.size(); ++bytes)
    if ((static_cast<unsigned char>(line[bytes]) & 0xc0) != 0x80 && ++seen >= most) break;
  return line.substr(0, bytes);
}

// What helps against losses for this cause, as a sentence behind a space; empty: nothing is known to help.
std::string advice(formats::LossCause cause, std::uint64_t ring_bytes) {
  using formats::LossCause;
  switch (cause) {
    case LossCause::ring_full:
      return " A larger ring helps (--ring " + std::to_string(ring_bytes * 4 / 1024) +
             "KiB), or recording less (--only io, --payload 0, fewer targets).";
    case LossCause::queue_full:
      return " A faster disk helps, or recording less (--only io, --payload 0, fewer targets).";
    case LossCause::socket_table_full:
    case LossCause::task_table_full:
    case LossCause::session_table_full:
      return " Fewer targets help: a table of the recorder was full.";
    case LossCause::probe_removed:
      return " Other processes called the same library too often; `--tls keys` needs no probe for each call.";
    case LossCause::file_not_read:
      return " The lines on TLS say which files could not be read, and why.";
    case LossCause::not_decrypted:
      return " Connections that begin while it records can be decrypted.";
    case LossCause::bad_record:
    case LossCause::damaged:
    case LossCause::call_under_way:
    case LossCause::unknown:
      break;
  }
  return {};
}

}  // namespace

std::string progress(std::chrono::nanoseconds elapsed, const Tally& tally, std::uint64_t file_bytes) {
  std::string text = show_count(static_cast<std::uint64_t>(seconds(elapsed))) + " s  ";
  const auto of = [&](formats::Kind kind) { return tally.by_kind[static_cast<std::size_t>(kind)]; };
  const auto plural = [](std::uint64_t n, const char* one, const char* many) {
    return show_count(n) + " " + (n == 1 ? one : many);
  };
  if (!tally.passed) {
    text += plural(tally.events, "event", "events");
  } else if (const mask::Passed& p = *tally.passed; p.served + p.called > 0) {
    if (p.served > 0 || p.called == 0) {
      text += plural(p.served, "request", "requests") + " served";
      if (!p.http2) text += " (" + show_count(p.server_errors) + " × 5xx)";
    }
    if (p.called > 0) text += std::string(p.served > 0 ? ", " : "") + plural(p.called, "call", "calls");
  } else if (of(formats::Kind::send) + of(formats::Kind::receive) == 0) {
    text += "no traffic yet";
  } else if (elapsed < kWithoutHttp) {
    text += plural(of(formats::Kind::send), "send", "sends");
  } else {
    text += "no HTTP seen yet";
    if (tally.encrypted > tally.plaintexts)
      text += ", " + plural(tally.encrypted - tally.plaintexts, "TLS connection", "TLS connections") + " not read";
  }
  return text + "  " + show_size(file_bytes) + "  " + show_count(tally.lost) + " lost";
}

StatusLine::StatusLine() : terminal_(isatty(STDERR_FILENO)) {}
StatusLine::~StatusLine() { clear(); }

void StatusLine::show(std::chrono::nanoseconds elapsed, const Tally& tally, std::uint64_t file_bytes) {
  if (!terminal_) return;
  std::fprintf(stderr, "\r\033[K%s", clipped(progress(elapsed, tally, file_bytes), columns()).c_str());
  shown_ = true;
}

void StatusLine::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void warn(const std::string& what) {
  std::fprintf(stderr, "tailcap-record: %s\n", formats::printable_message(what).c_str());
}

std::string summary(const std::string& path, std::chrono::nanoseconds elapsed, const Tally& tally,
                    std::uint64_t file_bytes, const std::string& reason, std::uint64_t ring_bytes) {
  using formats::Kind;
  const auto of = [&](Kind kind) { return show_count(tally.by_kind[static_cast<std::size_t>(kind)]); };
  std::string text = "recorded " + fixed(seconds(elapsed)) + " s into " + formats::printable(path) + " (" +
                     show_size(file_bytes) + "), ended by " + reason + "\n";
  text += "  " + show_count(tally.events) + " events: " + of(Kind::send) + " sends, " + of(Kind::receive) +
          " receives, " + of(Kind::arrival) + " arrivals, " + of(Kind::off_cpu) + " waits\n";
  const auto plaintext = tally.by_kind[static_cast<std::size_t>(Kind::tls_send)] +
                         tally.by_kind[static_cast<std::size_t>(Kind::tls_receive)];
  if (plaintext)
    text +=
        "  contains decrypted TLS traffic: " + of(Kind::tls_send) + " sends, " + of(Kind::tls_receive) + " receives\n";
  if (!tally.by_kind[static_cast<std::size_t>(Kind::send)] && !tally.by_kind[static_cast<std::size_t>(Kind::receive)])
    text += "  no traffic: the recorded processes neither sent nor received anything\n";
  else if (tally.masking.streams > 0 && tally.masking.foreign == tally.masking.streams && !plaintext)
    text += "  no HTTP seen: all connections carry another protocol, or are encrypted and were not read\n";
  if (tally.sampled || tally.left_out)
    text += "  sampled: " + show_count(tally.sampled) + " ends of TCP connections recorded, " +
            show_count(tally.left_out) + " left out\n";
  for (const auto& line : tally.unrecorded) text += "  not recorded: " + formats::printable(line) + "\n";
  if (tally.encrypted > tally.plaintexts)
    text += "  not read: at least " + show_count(tally.encrypted - tally.plaintexts) + " of " +
            show_count(tally.encrypted) +
            " TLS connections; their requests, if any, are missing. tailcap reads TLS of OpenSSL, GnuTLS and Go\n";
  for (const auto& [file, way] : tally.tls_ways)
    text += "  TLS of " + formats::printable(file) + ": " +
            formats::printable(way.ends_with(kNothingOlder) ? way.substr(0, way.size() - kNothingOlder.size()) : way) +
            "\n";
  for (const auto& function : tally.unwatched) {
    const bool keys = std::any_of(tally.tls_ways.begin(), tally.tls_ways.end(), [&](const auto& way) {
      return way.second.starts_with("by keys") && function.find("in " + way.first + ": ") != function.npos;
    });
    text += (keys ? "  no TLS probe " : "  TLS not seen ") + formats::printable(function) +
            (keys ? "; connections that are read by keys need none" : "") + "\n";
  }
  if (tally.quotas_unread)
    text += "  CPU quotas: up to " + show_count(tally.quotas_unread) +
            " processes or cgroups were read less often than every second\n";
  if (tally.looks_dropped)
    text += "  TLS and Go: " + show_count(tally.looks_dropped) +
            " processes were not examined, because too many began at once\n";
  if (tally.probe_facts_dropped)
    text += "  " + show_count(tally.probe_facts_dropped) + " facts about probes were not kept\n";
  if (tally.lost == 0) return text + "  lost: nothing\n";
  text += "  lost: " + show_count(tally.lost) + " events\n";
  for (const auto& [what, count] : tally.losses) text += "    " + show_count(count) + " " + what + "\n";
  text += "  The affected requests say so in every report.";
  for (const formats::LossCause cause : tally.causes) text += advice(cause, ring_bytes);
  return text + "\n";
}

}  // namespace tailcap::capture
