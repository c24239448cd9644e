#include "analyze/render/page.h"

#include "analyze/render/escape.h"

namespace tailcap::render {

std::string page(std::string_view title, std::string_view body, const EmbeddedData& data) {
  const bool instrument = !data.requests.empty();
  const std::string_view script = instrument ? instrument_script() : page_script();
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out.reserve(out.size() + body.size() + data.requests.size() + data.lanes.size() + script.size() + 64'000);
  out +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src '";
  out += instrument ? instrument_script_hash() : page_script_hash();
  out +=
      "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n";
  out += "<title>" + html(title) + "</title>\n<style>" + std::string(page_style());
  if (instrument) out += instrument_style();
  out += "</style>\n</head>\n<body>\n<main>\n";
  (out += body) += "</main>\n";
  const auto embed = [&](const char* name, std::string_view base64) {
    ((((out += "<script type=\"application/octet-stream\" id=\"") += name) += "\">") += base64) += "</script>\n";
  };
  if (instrument) embed("data", data.requests);
  if (instrument && !data.lanes.empty()) embed("lanes", data.lanes);
  ((out += "<script>") += script) += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace tailcap::render
