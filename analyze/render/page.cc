#include "analyze/render/page.h"

#include "analyze/render/escape.h"

namespace tailcap::render {

std::string page(std::string_view title, std::string_view body) {
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "script-src '";
  out += page_script_hash();
  out +=
      "'; base-uri 'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n";
  out += "<title>" + html(title) + "</title>\n<style>" + std::string(page_style()) + "</style>\n</head>\n<body>\n";
  out += body;
  out += "<script>" + std::string(page_script()) + "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace tailcap::render
