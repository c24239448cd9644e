#include "analyze/report/words/masking.h"

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/event.h"

namespace tailcap::report {
namespace {

using formats::Redaction;

// The recorder's options that keep more, as they were given.
std::string kept_on_demand(const formats::Preamble& p) {
  std::string text;
  for (std::size_t i = 1; i < p.command_line.size() && p.command_line[i] != "--"; ++i) {
    const std::string& word = p.command_line[i];
    if (!word.starts_with("--keep-")) continue;
    text += (text.empty() ? "" : ", ") + printable(word);
    if (word != "--keep-arguments" && word.find('=') == word.npos && i + 1 < p.command_line.size())
      text += " " + printable(p.command_line[++i]);
  }
  return text;
}

FactLine certainty(const model::Quality& q) {
  std::string text =
      "bodies, other protocols, values of headers that are not on the list, query values and command-line arguments "
      "were left out or overwritten";
  if (const auto kept = kept_on_demand(q.preamble); !kept.empty()) text += ", except " + kept;
  if (!q.masking_known) return {Tone::care, "masked", text + "; the recorder did not say how certain it was"};
  const formats::Masking& m = q.masking;
  if (m.doubtful == 0) {
    text += "; none of " + count_text(m.streams, "connection", "connections") + " was in doubt";
  } else {
    text += "; " + count_text(m.doubtful) + " of " + count_text(m.streams, "connection", "connections") +
            (m.doubtful == 1 ? " was" : " were") + " IN DOUBT for a time: " + bytes_text(m.withheld) +
            " that were not understood were withheld";
  }
  const formats::Masking& b = q.masking_before;
  if (b.streams != 0)
    text += "; among " + count_text(b.streams, "connection", "connections") +
            " of the recording before this part of it, " +
            (b.doubtful == 0   ? "none was in doubt"
             : b.doubtful == 1 ? "1 was IN DOUBT"
                               : count_text(b.doubtful) + " were IN DOUBT") +
            (m.doubtful == 0 && m.withheld != 0 ? ", and " + bytes_text(m.withheld) + " were withheld since" : "");
  if (m.foreign != 0) text += "; " + count_text(m.foreign) + " carried something else than HTTP or TLS";
  return {m.doubtful == 0 && b.doubtful == 0 ? Tone::plain : Tone::care, "masked", text};
}

}  // namespace

bool unsafe(const model::Quality& q) {
  return q.preamble.redaction != Redaction::masked_headers && q.preamble.redaction != Redaction::allow_list;
}

std::vector<FactLine> masking_lines(const model::Quality& q) {
  const FactLine holds = {Tone::plain, "contains",
                          "methods, paths, names of headers and query keys, values of listed headers, addresses and "
                          "names of hosts, processes, files and functions"};
  switch (q.preamble.redaction) {
    case Redaction::masked_headers:
      return {{Tone::plain, "headers", "values of credential headers were masked before anything was written"}};
    case Redaction::none:
      return {{Tone::alarm, "UNSAFE",
               "HEADERS WERE RECORDED AS SENT (--unsafe-headers): this file holds passwords, tokens and cookies in "
               "clear. Do not pass it on."}};
    case Redaction::header_values:
      return {{Tone::alarm, "UNSAFE",
               "HEADER VALUES WERE RECORDED AS SENT (--unsafe-headers): this file holds passwords, tokens and cookies "
               "in clear. Do not pass it on."},
              holds};
    case Redaction::payload_raw:
      return {{Tone::alarm, "UNSAFE",
               "NOTHING WAS MASKED (--payload-raw): this file holds bodies, passwords, tokens and cookies in clear. Do "
               "not pass it on."}};
    case Redaction::allow_list:
      break;
  }
  return {certainty(q), holds};
}

}  // namespace tailcap::report
