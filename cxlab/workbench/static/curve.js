// Curve: lines over a scale or over waves, with bands of uncertainty, zones, and lines that mean something.

function drawCurve(spec, width, wanted) {
  const left = besideWidth(spec.y_axis || {});
  const right = width - 8;
  const x = scaleOf(spec.x_axis, left + 10, right - 10);
  const ends = [];
  const upright = uprights(spec.lines, x, { bottom: () => ends[0], edge: width });
  const zones = layZones(spec.bands, x, { left, right, edge: width });
  const top = (spec.y_axis?.label ? 26 : 8) + upright.height + zones.height;
  const bottom = top + (wanted || Math.min(440, Math.max(230, (right - left) * 0.46)));
  ends.push(bottom);
  const y = scaleOf(spec.y_axis, bottom - 6, top + 6);
  const places = new Places(left, top, right, bottom);
  const below = axisBelow(spec.x_axis || {}, x, { top, bottom, left, right, edge: width });
  const beside = axisBeside(spec.y_axis || {}, y, { left, right, top: top - upright.height - zones.height });
  const nodes = [...zones.draw(top, bottom), ...below.nodes, ...beside];
  if (y.inside(0) && y.low < 0) nodes.push(line(left, y(0), right, y(0), LINE, 1.4, { class: "zero" }));
  const levels = drawLevels(spec.levels, y, { left, right, places });
  nodes.push(...levels.lines, ...upright.draw(top - zones.height));
  const series = (spec.series || []).map((s, order) => ({ ...s, order, colour: s.colour || FIRST }));
  nodes.push(...series.map((s) => drawSpread(s, x, y)), ...series.map((s) => drawLine(s, x, y)));
  if (Number.isFinite(spec.cursor)) nodes.push(line(x.held(spec.cursor), top, x.held(spec.cursor), bottom, INK, 1.3, { class: "cursor", "data-at": spec.cursor }));
  nodes.push(...levels.texts);
  const { hits, facts } = readCurve(spec, series, x, { left, right, top, bottom });
  return { nodes, hits, facts, height: bottom + below.height };
}

/** Zones behind the plot; their labels stand above it, each over its own zone. */
function layZones(bands, x, { left, right, edge }) {
  const zones = (bands || []).map((band) => {
    const from = Math.max(left, band.low === null || band.low === undefined ? left : x(band.low));
    const to = Math.min(right, band.high === null || band.high === undefined ? right : x(band.high));
    return { ...band, from, to };
  }).filter((zone) => zone.to > zone.from);
  const { placed, height } = levelled(zones.map((z) => ({ label: z.label, at: (z.from + z.to) / 2 })), edge, 11.5, 600);
  const draw = (top, bottom) => zones.flatMap((zone, i) => [
    el("rect", { x: px(zone.from), y: top, width: px(zone.to - zone.from), height: bottom - top, fill: zone.colour || "#8c8c8c", opacity: 0.11 }),
    ...lines(placed[i].block, placed[i].middle, top - 6 - 15 * placed[i].level, { size: 11.5, weight: 600, colour: SOFT, anchor: "middle" }),
  ]);
  return { height, draw };
}

function drawLevels(levels, y, { left, right, places }) {
  const found = { lines: [], texts: [] };
  for (const level of (levels || []).filter((l) => Number.isFinite(l.at) && y.inside(l.at))) {
    const at = y(level.at);
    found.lines.push(line(left, at, right, at, SOFT, 1.2, { "stroke-dasharray": "5 4", "data-at": level.at }));
    const block = wrap(level.label || "", (right - left) * 0.6, 11, { most: 1 });
    const wide = widest(block.lines, 11) + 4;
    for (const rise of [-17, 3, -32, 18, -47, 33, -62, 48]) {
      if (!block.text || !places.free(right - wide - 4, at + rise, wide, 14)) continue;
      places.take(right - wide - 4, at + rise, wide, 14);
      found.texts.push(...lines(block, right - 6, at + rise + 11, { size: 11, anchor: "end", colour: SOFT, halo: true }));
      break;
    }
  }
  return found;
}

/** Runs of points that have numbers: a masked wave interrupts the line. */
function runs(series, needed) {
  const found = [];
  let run = [];
  (series.x || []).forEach((_, i) => {
    if (needed.every((key) => Number.isFinite(series[key]?.[i]))) {
      run.push(i);
      return;
    }
    if (run.length) found.push(run);
    run = [];
  });
  if (run.length) found.push(run);
  return found;
}

function drawSpread(series, x, y) {
  const whiskers = series.line === false;
  const at = (i, key) => `${px(x(series.x[i]))},${px(y.held(series[key][i]))}`;
  const parts = runs(series, ["x", "low", "high"]).map((run) => {
    if (whiskers || run.length === 1) {
      const d = run.map((i) => `M${at(i, "low")}L${at(i, "high")}`).join("");
      return el("path", { d, stroke: series.colour, "stroke-width": 1.8, fill: "none", opacity: series.faded ? 0.5 : 0.85 });
    }
    const d = `M${run.map((i) => at(i, "high")).join("L")}L${[...run].reverse().map((i) => at(i, "low")).join("L")}Z`;
    return el("path", { d, fill: series.colour, opacity: series.faded ? 0.08 : 0.15 });
  });
  return el("g", { class: "spread" }, ...parts);
}

function drawLine(series, x, y) {
  const parts = [];
  const found = runs(series, ["x", "y"]);
  if (series.line !== false) {
    const d = found.map((run) => `M${run.map((i) => `${px(x(series.x[i]))},${px(y.held(series.y[i]))}`).join("L")}`).join("");
    const dash = series.dots ? "" : DASHES[series.order % DASHES.length];
    parts.push(el("path", { d, fill: "none", stroke: series.colour, "stroke-width": 2.2, "stroke-linejoin": "round",
      "stroke-dasharray": dash, opacity: series.faded ? 0.55 : 1 }));
  }
  for (const run of found) {
    if (!series.dots && run.length > 1) continue;
    for (const i of run) {
      const numbers = { series: series.name, x: series.x[i], value: series.y[i], low: series.low?.[i], high: series.high?.[i] };
      const radius = series.x.length > 40 ? 2.6 : 3.8;
      parts.push(mark(numbers, series.tips?.[i] || series.name, dot(x(series.x[i]), y.held(series.y[i]), series.order, series.colour, { radius, faded: series.faded })));
    }
  }
  const whole = ["x", "y", "low", "high"].map((key) => [`data-${key}s`, JSON.stringify(series[key] || [])]);
  return el("g", { class: "curve", "data-series": series.name, ...Object.fromEntries(whole) }, tipOf(series.name || ""), ...parts);
}

/** What can be read off: a tip per place on the horizontal axis. */
function readCurve(spec, series, x, { left, right, top, bottom }) {
  const discrete = series.filter((s) => s.dots || (s.x || []).length <= 40);
  const places = [...new Set((discrete.length ? discrete : series).flatMap((s) => s.x || []))]
    .filter((at) => Number.isFinite(at) && x.inside(at)).sort((a, b) => a - b);
  const kept = places.filter((_, i) => i % Math.ceil(places.length / 60) === 0);
  const sayX = wording(spec.x_axis);
  const sayY = wording(spec.y_axis);
  const said = kept.map((at) => series.map((s) => sayAt(s, at, sayY)));
  const hits = kept.map((at, k) => {
    const from = k ? (x(kept[k - 1]) + x(at)) / 2 : left;
    const to = k + 1 < kept.length ? (x(at) + x(kept[k + 1])) / 2 : right;
    const parts = series.map((s, i) => said[k][i] && (s.name ? `${s.name}${colon}${said[k][i]}` : said[k][i])).filter(Boolean);
    return { x: from, y: top, width: Math.max(1, to - from), height: bottom - top, text: [sayX(at), ...parts].join("\n"), upright: x(at) };
  });
  return { hits, facts: [["", ...series.map((s) => s.name || "")], ...kept.map((at, k) => [sayX(at), ...said[k]])] };
}

function sayAt(series, at, say) {
  const xs = series.x || [];
  let i = xs.indexOf(at);
  if (i < 0 && xs.length > 40) i = xs.reduce((best, v, k) => (Math.abs(v - at) < Math.abs(xs[best] - at) ? k : best), 0);
  if (i < 0) return "";
  if (series.texts) return series.texts[i] || "";
  if (!Number.isFinite(series.y?.[i])) return "";
  const range = Number.isFinite(series.low?.[i]) && Number.isFinite(series.high?.[i]);
  return say(series.y[i]) + (range ? ` [${say(series.low[i])}, ${say(series.high[i])}]` : "");
}

/** How numbers between the ticks of an axis print: as its ticks do, with one decimal more. */
function wording(axis = {}) {
  const ticks = axis.ticks || [];
  const percent = ticks.length > 0 && ticks.every((t) => /%$/.test(t.text || ""));
  const decimals = Math.max(0, ...ticks.map((t) => (/[.](\d+)/.exec(t.text || "")?.[1] || "").length));
  const known = new Map(ticks.map((t) => [t.at, t.text]));
  return (value) => known.get(value) ?? `${((percent ? 100 : 1) * value).toFixed(decimals + 1).replace("-", "−")}${percent ? "%" : ""}`;
}
