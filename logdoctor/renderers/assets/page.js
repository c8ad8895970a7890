"use strict";
// Progressive: the page is complete without this script. It adds a cursor shared by all charts of a run and zoom.
(function () {
  document.documentElement.classList.add("js");
  var NS = "http://www.w3.org/2000/svg";
  document.querySelectorAll("section.run").forEach(function (run) {
    var box = run.querySelector("script[type='application/json']");
    if (!box) return;
    var data = JSON.parse(box.textContent);
    var charts = [];
    run.querySelectorAll("svg.chart").forEach(function (svg) {
      var d = data.charts[svg.dataset.metric];
      if (d) charts.push(make(svg, d));
    });

    function make(svg, d) {
      var g = data.geometry, n = d.x.length;
      var chart = { svg: svg, d: d, low: d.x[0], high: d.x[n - 1] };
      if (!(chart.high > chart.low)) { chart.low -= 0.5; chart.high += 0.5; }
      chart.full = [chart.low, chart.high];
      chart.curves = [];
      svg.querySelectorAll(".curve").forEach(function (c) {
        chart.curves.push({ node: c, points: c.getAttribute("points").trim().split(/\s+/).map(function (p) {
          return p.split(",").map(Number);
        }) });
      });
      chart.fixed = [];
      svg.querySelectorAll(".mark,.band,.nan").forEach(function (node) {
        var isBand = node.tagName === "rect", isLine = node.tagName === "line";
        var x = isBand || isLine ? Number(node.getAttribute(isBand ? "x" : "x1")) : Number(/M(-?[\d.]+)/.exec(node.getAttribute("d"))[1]);
        chart.fixed.push({ node: node, x: x, w: isBand ? Number(node.getAttribute("width")) : 0 });
      });
      chart.cursor = document.createElementNS(NS, "line");
      chart.cursor.setAttribute("class", "cursor");
      chart.cursor.setAttribute("y1", g.top);
      chart.cursor.setAttribute("y2", g.height - g.bottom);
      chart.cursor.setAttribute("visibility", "hidden");
      svg.appendChild(chart.cursor);
      chart.window = document.createElementNS(NS, "rect");
      chart.window.setAttribute("class", "window");
      chart.window.setAttribute("y", g.top);
      chart.window.setAttribute("height", g.height - g.top - g.bottom);
      chart.window.setAttribute("visibility", "hidden");
      svg.appendChild(chart.window);
      chart.out = svg.parentNode.querySelector(".readout");
      svg.setAttribute("tabindex", "0");
      listen(chart);
      return chart;
    }
    function inner() { return data.geometry.width - data.geometry.left - data.geometry.right; }
    function toX(chart, px) { return chart.low + (px - data.geometry.left) / inner() * (chart.high - chart.low); }
    function toPx(chart, x) { return data.geometry.left + (x - chart.low) / (chart.high - chart.low) * inner(); }
    function pixel(chart, event) {
      var r = chart.svg.getBoundingClientRect();
      return (event.clientX - r.left) / r.width * data.geometry.width;
    }
    function nearest(chart, x) {
      var a = chart.d.x, lo = 0, hi = a.length - 1;
      while (hi - lo > 1) { var m = (lo + hi) >> 1; if (a[m] < x) lo = m; else hi = m; }
      return x - a[lo] <= a[hi] - x ? lo : hi;
    }
    function show(x, label) {
      charts.forEach(function (chart) {
        if (chart.d.x_label !== label) return;
        var i = nearest(chart, x), px = toPx(chart, chart.d.x[i]);
        var g = data.geometry, inside = px >= g.left - 1 && px <= g.width - g.right + 1;
        chart.cursor.setAttribute("visibility", inside ? "visible" : "hidden");
        chart.cursor.setAttribute("x1", px);
        chart.cursor.setAttribute("x2", px);
        chart.at = i;
        if (chart.out) chart.out.textContent = chart.d.x_label + " " + chart.d.x[i].toLocaleString("en") + ": " +
          (chart.d.flags[i] || chart.d.y[i]) + " (line " + chart.d.line[i] + ")";
      });
    }
    function zoom(label, low, high) {
      charts.forEach(function (chart) {
        if (chart.d.x_label !== label) return;
        var full = chart.full, span = Math.max(high - low, (full[1] - full[0]) / 2000);
        chart.low = Math.max(full[0], Math.min(low, full[1] - span));
        chart.high = Math.min(full[1], chart.low + span);
        redraw(chart);
      });
    }
    function redraw(chart) {
      var g = data.geometry, full = chart.full;
      function move(px) { return toPx(chart, full[0] + (px - g.left) / inner() * (full[1] - full[0])); }
      function clamp(px) { return Math.min(Math.max(px, g.left), g.width - g.right); }
      chart.curves.forEach(function (c) {
        var out = [];
        c.points.forEach(function (p, i) {
          var x = move(p[0]), before = i ? move(c.points[i - 1][0]) : x, after = i + 1 < c.points.length ? move(c.points[i + 1][0]) : x;
          if (after >= g.left && before <= g.width - g.right) out.push(clamp(x).toFixed(1) + "," + p[1]);
        });
        c.node.setAttribute("points", out.join(" "));
      });
      chart.fixed.forEach(function (f) {
        var x = move(f.x), end = move(f.x + f.w), seen = end >= g.left && x <= g.width - g.right;
        f.node.setAttribute("visibility", seen ? "visible" : "hidden");
        if (f.node.tagName === "rect") { f.node.setAttribute("x", clamp(x)); f.node.setAttribute("width", Math.max(clamp(end) - clamp(x), 1)); }
        else if (f.node.tagName === "line") { f.node.setAttribute("x1", x); f.node.setAttribute("x2", x); }
        else f.node.setAttribute("transform", "translate(" + (x - f.x) + " 0)");
      });
      var ticks = chart.svg.querySelectorAll(".xtick");
      ticks.forEach(function (t) {
        var x = toX(chart, Number(t.getAttribute("x")));
        if (!t.dataset.first) t.dataset.first = t.textContent;
        var whole = chart.low === full[0] && chart.high === full[1];
        t.textContent = whole ? t.dataset.first : Number(x.toPrecision(4)).toLocaleString("en");
      });
    }
    function listen(chart) {
      var from = null, label = chart.d.x_label, svg = chart.svg;
      svg.addEventListener("pointermove", function (e) {
        var px = pixel(chart, e);
        show(toX(chart, px), label);
        if (from !== null) {
          chart.window.setAttribute("visibility", "visible");
          chart.window.setAttribute("x", Math.min(from, px));
          chart.window.setAttribute("width", Math.abs(px - from));
        }
      });
      svg.addEventListener("pointerdown", function (e) { if (e.pointerType === "mouse") from = pixel(chart, e); });
      window.addEventListener("pointerup", function (e) {
        if (from === null) return;
        var to = pixel(chart, e), a = Math.min(from, to), b = Math.max(from, to);
        from = null;
        chart.window.setAttribute("visibility", "hidden");
        if (b - a > 8) zoom(label, toX(chart, a), toX(chart, b));
      });
      svg.addEventListener("dblclick", function () { zoom(label, chart.full[0], chart.full[1]); });
      svg.addEventListener("wheel", function (e) {
        if (!e.ctrlKey && !e.shiftKey) return;
        e.preventDefault();
        around(chart, toX(chart, pixel(chart, e)), (e.deltaY || e.deltaX) < 0 ? 0.7 : 1 / 0.7);
      }, { passive: false });
      svg.addEventListener("keydown", function (e) {
        var i = chart.at === undefined ? 0 : chart.at, x = chart.d.x[i], span = chart.high - chart.low;
        if (e.key === "ArrowRight" && e.shiftKey) zoom(label, chart.low + span / 4, chart.high + span / 4);
        else if (e.key === "ArrowLeft" && e.shiftKey) zoom(label, chart.low - span / 4, chart.high - span / 4);
        else if (e.key === "ArrowRight") show(chart.d.x[Math.min(i + 1, chart.d.x.length - 1)], label);
        else if (e.key === "ArrowLeft") show(chart.d.x[Math.max(i - 1, 0)], label);
        else if (e.key === "+" || e.key === "=") around(chart, x, 0.6);
        else if (e.key === "-") around(chart, x, 1 / 0.6);
        else if (e.key === "0" || e.key === "Escape") zoom(label, chart.full[0], chart.full[1]);
        else return;
        e.preventDefault();
      });
      svg.addEventListener("focus", function () { if (chart.at === undefined) show(chart.d.x[0], label); });
    }
    function around(chart, x, factor) {
      zoom(chart.d.x_label, x - (x - chart.low) * factor, x + (chart.high - x) * factor);
    }
  });
})();
