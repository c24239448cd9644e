// What a flame graph does in a browser.
#pragma once

namespace tailcap::flame {

inline constexpr const char* kScript = R"JS((function () {
  "use strict";
  var left = 10, wide = 1180, $ = function (id) { return document.getElementById(id); };
  var frames = [].map.call(document.querySelectorAll("g.f"), function (g) {
    var rect = g.querySelector("rect"), text = g.querySelector("text");
    return { g: g, rect: rect, text: text, name: text.getAttribute("data-n"), depth: +g.getAttribute("data-d"),
             x: +rect.getAttribute("x"), w: +rect.getAttribute("width") };
  });
  if (!frames.length) return;
  var root = frames[0], focus = root, wanted = null;
  function place(f, x, w) {
    f.rect.setAttribute("x", x); f.rect.setAttribute("width", w); f.text.setAttribute("x", x + 3);
    var fits = Math.floor((w - 6) / 6.7);
    f.text.textContent = fits < 3 ? "" : f.name.length <= fits ? f.name : f.name.slice(0, fits - 2) + "..";
  }
  function draw() {
    var e = 0.002;
    frames.forEach(function (f) {
      var below = f.depth < focus.depth && f.x <= focus.x + e && f.x + f.w >= focus.x + focus.w - e;
      var inside = f.depth >= focus.depth && f.x >= focus.x - e && f.x + f.w <= focus.x + focus.w + e;
      f.g.style.display = below || inside ? "" : "none";
      f.g.classList.toggle("p", below);
      if (below) place(f, left, wide);
      else if (inside) place(f, left + (f.x - focus.x) / focus.w * wide, f.w / focus.w * wide);
    });
    $("reset").style.display = focus === root ? "none" : "";
  }
  function search() {
    var covered = 0, end = -1;
    frames.forEach(function (f) {  // a frame comes before what it calls
      var hit = wanted !== null && f !== root && wanted.test(f.name);
      f.g.classList.toggle("m", hit);
      if (hit && f.x >= end - 0.002) { covered += f.w; end = f.x + f.w; }
    });
    $("found").textContent = wanted === null ? " " : "Found: " + (100 * covered / root.w).toFixed(2) + " % of all";
    $("search").textContent = wanted === null ? "Search" : "Reset search";
  }
  function look(text) {
    try { wanted = text ? new RegExp(text) : null; } catch (error) { wanted = null; }
    search();
  }
  frames.forEach(function (f) {
    f.g.addEventListener("click", function () { focus = f; draw(); });
    f.g.addEventListener("mouseover", function () { $("hint").textContent = f.g.querySelector("title").textContent; });
    f.g.addEventListener("mouseout", function () { $("hint").textContent = " "; });
  });
  function ask() { look(wanted === null ? prompt("Search: a regular expression") : ""); }
  $("reset").addEventListener("click", function () { focus = root; draw(); });
  $("search").addEventListener("click", ask);
  window.addEventListener("keydown", function (event) {
    if (event.key === "f" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); wanted = null; ask(); }
    if (event.key === "Escape") { focus = root; draw(); look(""); }
  });
  function follow() {
    location.hash.slice(1).split("&").forEach(function (part) {
      var at = part.indexOf("="), value = decodeURIComponent(part.slice(at + 1));
      if (part.slice(0, at) === "search") look(value);
      if (part.slice(0, at) === "zoom") frames.some(function (f) { return f.name === value && (focus = f); });
    });
    draw();
  }
  window.addEventListener("hashchange", follow);
  follow();
})();
)JS";

}  // namespace tailcap::flame
